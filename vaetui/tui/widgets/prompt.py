"""The docked line that asks and confirms; it does not know what a key does."""

from __future__ import annotations

from rich.text import Text

from vaetui.tui.presenters.key_parser import CONFIDENCE_HINT, PARTS_HINT, Focus, KeyParser
from vaetui.tui.widgets.text_line import TextLine


class Prompt(TextLine):
    """What is asked, then what was just done or what would work."""

    DEFAULT_CSS = """
    Prompt { height: 1; padding: 0 1; background: $surface; }
    """

    def ask(self, parser: KeyParser, focus: Focus, note: str = "") -> None:
        """Ask what the entry waits for; `note` tells what the last key did."""
        question, help = format_question(parser, focus)
        self.show_question(question, help, parser.hint, note)

    def show_question(self, question: str, help_text: str, hint: str = "", note: str = "") -> None:
        """Put a question, and behind it the first of a hint, a note and help that is not empty."""
        words = Text.assemble((question, "bold"), "  ")
        if hint:
            words.append(f"! {hint}", "bold")
        else:
            words.append(note or help_text, "" if note else "dim")
        width = self.app.size.width - 2
        rows = 1
        if words.cell_len > width and (hint or note):
            # Trouble may take a whole sentence, which is read to its end before anything else counts.
            words = Text(f"! {hint or note}", "bold")
            rows = self.count_rows(words.cell_len)
        if self.styles.height is None or self.styles.height.value != rows:
            self.styles.height = rows
        self.set_text(words, wrap=rows > 1)


def format_question(parser: KeyParser, focus: Focus) -> tuple[str, str]:
    """Give the question and what answers it."""
    match parser.state:
        case "confidence":
            name = parser.classes.names[int(parser.typed_text)]
            typed = f"{parser.typed_text}_" if name == parser.typed_text else f"{parser.typed_text} {name}_"
            return f"centre {focus.name}: class? {typed}", f"then {CONFIDENCE_HINT}"
        case "parts":
            return f"split {focus.name} into {parser.suggest_parts(focus.size)}_ parts?", PARTS_HINT
        case "leave":
            are = "centre is" if focus.unanswered_count == 1 else "centres are"
            return f"{focus.unanswered_count} {are} open", "g again goes on, Esc stays"
    if focus.unanswered_count == 0:
        return f"centre {focus.name}:", "all are answered, g goes on to training"
    if parser.is_one_key_mode:
        return f"centre {focus.name}: class at {parser.confidence:.1f}?", "a digit alone answers, a ends that"
    return f"centre {focus.name}: class?", "a digit, then Enter = sure or 1-9 = tenths"

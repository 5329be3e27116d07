"""The line of a screen that asks a question and confirms answers."""

from __future__ import annotations

from rich.text import Text

from vaetui.tui.presenters.key_parser import Focus, KeyParser
from vaetui.tui.presenters.prompt_text import format_question
from vaetui.tui.widgets.text_line import TextLine


class Prompt(TextLine):
    """A question, followed by a hint, the result of the last key, or the keys that answer it."""

    DEFAULT_CSS = """
    Prompt { height: 1; padding: 0 1; background: $surface; }
    """

    def ask(self, parser: KeyParser, focus: Focus, note: str = "") -> None:
        """Ask for the input that `parser` expects; `note` is the result of the last key."""
        question, help_text = format_question(parser, focus)
        self.show_question(question, help_text, parser.hint, note)

    def show_question(self, question: str, help_text: str, hint: str = "", note: str = "") -> None:
        """Show the question and the first of `hint`, `note` and `help_text` that is not empty."""
        text = Text.assemble((question, "bold"), "  ")
        if hint:
            text.append(f"! {hint}", "bold")
        else:
            text.append(note or help_text, "" if note else "dim")
        width = self.app.size.width - 2
        rows = 1
        if text.cell_len > width and (hint or note):
            # Error messages can be whole sentences; they replace the question and wrap.
            text = Text(f"! {hint or note}", "bold")
            rows = self.count_rows(text.cell_len)
        if self.styles.height is None or self.styles.height.value != rows:
            self.styles.height = rows
        self.set_text(text, wrap=rows > 1)

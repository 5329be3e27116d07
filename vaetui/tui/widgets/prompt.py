"""The docked line that asks and confirms; it does not know what a key does."""

from __future__ import annotations

from rich.text import Text

from vaetui.tui.presenters.key_parser import FOR_CONFIDENCE, FOR_PARTS, Entry, Spot
from vaetui.tui.widgets.text_line import Line


class Prompt(Line):
    """What is asked, then what was just done or what would work."""

    DEFAULT_CSS = """
    Prompt { height: 1; padding: 0 1; background: $surface; }
    """

    def ask(self, entry: Entry, spot: Spot, note: str = "") -> None:
        """Ask what the entry waits for; `note` tells what the last key did."""
        question, help = asked(entry, spot)
        self.put(question, help, entry.hint, note)

    def put(self, question: str, help: str, hint: str = "", note: str = "") -> None:
        """Put a question, and behind it the first of a hint, a note and help that is not empty."""
        words = Text.assemble((question, "bold"), "  ")
        if hint:
            words.append(f"! {hint}", "bold")
        else:
            words.append(note or help, "" if note else "dim")
        width = self.app.size.width - 2
        rows = 1
        if words.cell_len > width and (hint or note):
            # Trouble may take a whole sentence, which is read to its end before anything else counts.
            words = Text(f"! {hint or note}", "bold")
            rows = self.rows_of(words.cell_len)
        if self.styles.height is None or self.styles.height.value != rows:
            self.styles.height = rows
        self.say(words, wrap=rows > 1)


def asked(entry: Entry, spot: Spot) -> tuple[str, str]:
    """Give the question and what answers it."""
    match entry.waits:
        case "confidence":
            name = entry.classes.names[int(entry.typed)]
            typed = f"{entry.typed}_" if name == entry.typed else f"{entry.typed} {name}_"
            return f"centre {spot.name}: class? {typed}", f"then {FOR_CONFIDENCE}"
        case "parts":
            return f"split {spot.name} into {entry.suggested(spot.size)}_ parts?", FOR_PARTS
        case "leave":
            are = "centre is" if spot.open == 1 else "centres are"
            return f"{spot.open} {are} open", "g again goes on, Esc stays"
    if spot.open == 0:
        return f"centre {spot.name}:", "all are answered, g goes on to training"
    if entry.one_key:
        return f"centre {spot.name}: class at {entry.confidence:.1f}?", "a digit alone answers, a ends that"
    return f"centre {spot.name}: class?", "a digit, then Enter = sure or 1-9 = tenths"

"""The line of a screen that asks a question and confirms answers."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from vaetui.tui.widgets.text_line import TextLine


class Prompt(TextLine):
    """A question, followed by a hint, the result of the last key, or the keys that answer it."""

    DEFAULT_CSS = """
    Prompt { height: 1; padding: 0 1; background: $surface; }
    """

    def show_question(
        self, question: str, help_text: str, hint: str = "", note: str = "", badge: str = "", short_question: str = ""
    ) -> None:
        """Show the question and the first of `hint`, `note` and `help_text` that is not empty.

        `badge` is a mode that is on. Where hint or note need the room, `short_question` replaces the question. A note
        is then cut to what fits; a hint, which may be an error of several sentences, stands alone on more rows.
        """
        width, rows = self.app.size.width - 2, 1
        text = _format_question(question, badge)
        if short_question and text.cell_len + cell_len(hint or note) + 4 > width:
            text = _format_question(short_question, badge)
        if hint and text.cell_len + cell_len(hint) + 4 > width:
            text = Text(f"! {hint}", "bold")
            rows = self.count_wrapped_rows(text.cell_len)
        elif hint:
            text.append(f"  ! {hint}", "bold")
        elif note:
            text.append(f"  {fit_sentences(note, width - text.cell_len - 2)}")
        else:
            text.append(f"  {help_text}", "dim")
        if self.styles.height is None or self.styles.height.value != rows:
            self.styles.height = rows
        self.set_text(text, wrap=rows > 1)


def _format_question(question: str, badge: str) -> Text:
    return Text.assemble((f" {badge} ", "bold reverse") if badge else "", " " if badge else "", (question, "bold"))


def fit_sentences(text: str, max_cells: int) -> str:
    """Return as many sentences of the text as fit, or the beginning of the first one if it does not."""
    sentences = text.split(". ")
    for count in range(len(sentences), 0, -1):
        shortened = ". ".join(sentences[:count])
        if cell_len(shortened) <= max_cells:
            return shortened
    return f"{set_cell_size(text, max(max_cells - 1, 0)).rstrip()}…"

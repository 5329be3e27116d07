"""The line of a screen that asks a question and confirms answers."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from vaetui.tui.widgets.text_line import TextLine

KEY_SEPARATOR = " · "
"""Separates the keys of a help text."""


class Prompt(TextLine):
    """A question, followed by a hint, the result of the last key, or the keys that answer it."""

    DEFAULT_CSS = """
    Prompt { height: 1; padding: 0 1; background: $surface; }
    """

    def show_question(
        self,
        question: str,
        help_text: str,
        hint: str = "",
        note: str = "",
        badge: str = "",
        short_question: str = "",
        *,
        cuts_note: bool = False,
    ) -> None:
        """Show the question and the first of `hint`, `note` and `help_text` that is not empty.

        `badge` is a mode that is on. Where hint or note need the room, `short_question` replaces the question. Those
        that do not fit, such as an error message of several sentences, then stand alone on as many rows as they need,
        unless the note is to be cut.
        """
        width, rows = self.app.size.width - 2, 1
        text = _format_question(question, badge)
        message = Text(f"! {hint}", "bold") if hint else Text(note)
        if short_question and text.cell_len + 2 + message.cell_len > width:
            text = _format_question(short_question, badge)
        room = width - text.cell_len - 2
        if message.cell_len <= room:
            text = text.append("  ").append_text(message if message.plain else Text(fit_parts(help_text, room), "dim"))
        elif cuts_note and not hint:
            text.append(f"  {fit_sentences(note, room)}")
        else:
            text, rows = message, self.count_wrapped_rows(message.plain)
        if self.styles.height is None or self.styles.height.value != rows:
            self.styles.height = rows
        self.set_text(text, wrap=rows > 1)


def _format_question(question: str, badge: str) -> Text:
    return Text.assemble((f" {badge} ", "bold reverse") if badge else "", " " if badge else "", (question, "bold"))


def count_badge_cells(badge: str) -> int:
    """Return the cells that a badge takes before the question."""
    return _format_question("", badge).cell_len


def fit_parts(text: str, max_cells: int) -> str:
    """Return as many of the keys of a help text, which are separated by " · ", as fit."""
    parts = text.split(KEY_SEPARATOR)
    while len(parts) > 1 and cell_len(KEY_SEPARATOR.join(parts)) > max_cells:
        parts.pop()
    return KEY_SEPARATOR.join(parts)


def fit_sentences(text: str, max_cells: int) -> str:
    """Return as many sentences of the text as fit, or the beginning of the first one if it does not."""
    sentences = text.split(". ")
    for count in range(len(sentences), 0, -1):
        shortened = ". ".join(sentences[:count])
        if cell_len(shortened) <= max_cells:
            return shortened
    return f"{set_cell_size(text, max(max_cells - 1, 0)).rstrip()}…"

"""A widget for text that changes often."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from vaetui.tui.presenters.text_wrapping import wrap_text


class TextLine(Static):
    """Text in a fixed space: a change causes no layout, and an unchanged text sends no bytes."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        """Create a widget without text."""
        super().__init__("", id=id, classes=classes, markup=False)
        self._text: Text | None = None

    def set_text(self, text: Text | str, wrap: bool = False) -> None:
        """Show `text`, cut to the width unless `wrap` is set."""
        new_text = Text(text) if isinstance(text, str) else text
        if new_text != self._text or new_text.spans != (self._text.spans if self._text else []):
            self._text = new_text
            new_text.no_wrap = not wrap
            self.update(new_text, layout=False)

    def count_wrapped_rows(self, text: str) -> int:
        """Return the rows that a text takes."""
        return len(wrap_text(text, self.app.size.width - 2))

    @property
    def text(self) -> str:
        """The text shown."""
        return self._text.plain if self._text else ""

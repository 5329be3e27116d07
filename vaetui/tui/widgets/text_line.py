"""One or more lines of words that change often; it does not know what they say."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static


class TextLine(Static):
    """Words in a place whose size never depends on them: no layout, no byte where nothing changed."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        """Begin without words."""
        super().__init__("", id=id, classes=classes, markup=False)
        self._text: Text | None = None

    def set_text(self, text: Text | str, wrap: bool = False) -> None:
        """Show these words; what does not fit is cut unless it is wrapped, so they are made to fit."""
        words = Text(text) if isinstance(text, str) else text
        if words != self._text or words.spans != (self._text.spans if self._text else []):
            self._text = words
            words.no_wrap = not wrap
            self.update(words, layout=False)

    def count_rows(self, cells: int) -> int:
        """Tell how many rows words of so many cells take here; some cells are lost where a row is broken."""
        width = self.app.size.width - 2
        return -(-cells // max(width - 8, 1)) if cells > width else 1

    @property
    def text(self) -> str:
        """Give the words that are shown."""
        return self._text.plain if self._text else ""

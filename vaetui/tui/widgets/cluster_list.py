"""All tiles of the round as a list of words, for small terminals; it does not know what they show."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from vaetui.session.views import Tile
from vaetui.tui.presenters.cluster_text import answer_of, name_of
from vaetui.tui.presenters.layout import page
from vaetui.tui.widgets.text_line import Line


class Roster(Line):
    """Names and answers in columns, page by page; the focused one in brackets."""

    DEFAULT_CSS = """
    Roster { width: 100%; height: 1fr; }
    """

    def __init__(self, width: int, rows: int) -> None:
        """Take this many columns and rows of text."""
        super().__init__()
        self._width, self._rows = width, rows
        self._columns = 1

    @property
    def columns(self) -> int:
        """Tell how many tiles are in a row now."""
        return self._columns

    @property
    def room(self) -> int:
        """Tell how many tiles are on a page now."""
        return self._columns * self._rows

    def show(self, tiles: Sequence[Tile], at: int) -> None:
        """List the page that holds the tile at that place."""
        names = max(len(name_of(tile)) for tile in tiles)
        # An answer takes five cells at most, a split into ten parts up to seven: columns must not jump.
        answers = max(5, *(len(answer_of(tile)) for tile in tiles))
        self._columns = max(self._width // (names + answers + 3), 1)
        first, last = page(at, len(tiles), self.room)
        words = Text()
        for place in range(first, last):
            tile, here = tiles[place], place == at
            cell = f"{name_of(tile):>{names}} {answer_of(tile):<{answers}}"
            style = "bold reverse" if here else "" if tile.answer is None else "dim"
            words.append(f"[{cell}]" if here else f" {cell} ", style)
            if (place - first) % self._columns == self._columns - 1:
                words.append("\n")
        self.say(words)

"""All tiles of the round as a list of words, for small terminals; it does not know what they show."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from vaetui.session.views import ClusterView
from vaetui.tui.presenters.cluster_text import format_answer, format_cluster_name
from vaetui.tui.presenters.layout import compute_page_bounds
from vaetui.tui.widgets.text_line import TextLine


class ClusterList(TextLine):
    """Names and answers in columns, page by page; the focused one in brackets."""

    DEFAULT_CSS = """
    ClusterList { width: 100%; height: 1fr; }
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
    def page_size(self) -> int:
        """Tell how many tiles are on a page now."""
        return self._columns * self._rows

    def show(self, clusters: Sequence[ClusterView], focus_index: int) -> None:
        """List the page that holds the tile at that place."""
        names = max(len(format_cluster_name(tile)) for tile in clusters)
        # An answer takes five cells at most, a split into ten parts up to seven: columns must not jump.
        answers = max(5, *(len(format_answer(tile)) for tile in clusters))
        self._columns = max(self._width // (names + answers + 3), 1)
        first, last = compute_page_bounds(focus_index, len(clusters), self.page_size)
        words = Text()
        for place in range(first, last):
            tile, here = clusters[place], place == focus_index
            cell = f"{format_cluster_name(tile):>{names}} {format_answer(tile):<{answers}}"
            style = "bold reverse" if here else "" if tile.answer is None else "dim"
            words.append(f"[{cell}]" if here else f" {cell} ", style)
            if (place - first) % self._columns == self._columns - 1:
                words.append("\n")
        self.set_text(words)

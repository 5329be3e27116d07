"""The picture in focus, large and in a heavy frame; it does not know how it came to be in focus."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from vaetui.engine.clusters import Pixels
from vaetui.session.views import Tile
from vaetui.tui.presenters.cluster_text import name_of, weight_of
from vaetui.tui.widgets.picture import Picture
from vaetui.tui.widgets.text_line import Line


class Focused(Vertical):
    """A picture framed by lines of its own, so that another name repaints one line and not the picture."""

    DEFAULT_CSS = """
    Focused { width: auto; height: auto; }
    Focused Line { height: 1; color: $primary; text-style: bold; }
    Focused Horizontal { width: auto; height: auto; }
    Focused .side { width: 1; height: 100%; }
    """

    def __init__(self, cells: tuple[int, int]) -> None:
        """Take this many cells for the picture inside."""
        super().__init__()
        self._cells = cells
        self.styles.width = cells[0] + 2
        self.styles.height = cells[1] + 2

    def compose(self) -> ComposeResult:
        """Mount the frame around the picture."""
        yield Line(id="above")
        with Horizontal():
            yield Line(classes="side")
            yield Picture(self._cells)
            yield Line(classes="side")
        yield Line(id="below")

    def on_mount(self) -> None:
        """Draw the sides, which stay."""
        for side in self.query(".side").results(Line):
            side.styles.height = self._cells[1]
            side.say("\n".join("┃" * self._cells[1]))

    def show(self, tile: Tile) -> None:
        """Show that tile, its name above and the weight of an answer below."""
        self.frame(f"centre {name_of(tile)}", weight_of(tile), tile.picture)

    def frame(self, above: str, below: str, pixels: Pixels) -> None:
        """Show that picture, [H, W], with these words in the frame."""
        inside = self._cells[0]
        for id, words, left, right in (("#above", above, "┏", "┓"), ("#below", below, "┗", "┛")):
            within = f" {words} " if words else ""
            self.query_one(id, Line).say(Text(f"{left}{within:━<{inside}}{right}"))
        self.query_one(Picture).show(pixels)

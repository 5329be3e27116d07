"""All tiles of the round as thumbnails with their answers, for large terminals; it knows no key."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical

from vaetui.session.views import Tile
from vaetui.tui.presenters.cluster_text import answer_of, name_of
from vaetui.tui.presenters.layout import THUMB, TILE, page
from vaetui.tui.widgets.picture import Picture
from vaetui.tui.widgets.text_line import Line


class Thumb(Vertical):
    """One tile: a bar at its left, its picture, its name and answer below; the bar is heavy in focus."""

    DEFAULT_CSS = """
    Thumb Line { color: $foreground; }
    Thumb Line.focused { color: $primary; text-style: bold; }
    Thumb .bar { width: 1; }
    Thumb .caption { width: 100%; height: 1; }
    """

    def compose(self) -> ComposeResult:
        """Mount the three."""
        with Horizontal():
            yield Line(classes="bar")
            yield Picture(THUMB)
        yield Line(classes="caption")

    def on_mount(self) -> None:
        """Take the room of a tile."""
        self.styles.width, self.styles.height = TILE
        self.query_one(Horizontal).styles.height = THUMB[1]
        self.query_one(".bar").styles.height = THUMB[1]

    def show(self, tile: Tile | None, focused: bool) -> None:
        """Show that tile, or nothing."""
        bar, caption = self.query_one(".bar", Line), self.query_one(".caption", Line)
        for line in (bar, caption):
            line.set_class(focused, "focused")
        bar.say("\n".join(("┃" if focused else " ") * THUMB[1]))
        words = "" if tile is None else f"{name_of(tile)} {answer_of(tile)}"
        caption.say(Text(f"{f'┗ {words} ':━<{TILE[0] - 1}}" if focused else f"  {words}"))
        self.call_later(self.query_one(Picture).show, None if tile is None else tile.picture)


class Gallery(Container):
    """As many thumbnails as there is room for, page by page, mounted once."""

    DEFAULT_CSS = """
    Gallery { layout: grid; width: 100%; height: 1fr; }
    """

    def __init__(self, columns: int, rows: int) -> None:
        """Take this many tiles across and down."""
        super().__init__()
        self.columns = columns
        """Tiles in a row."""
        self.room = columns * rows
        """Tiles on a page."""
        self.styles.grid_size_columns = columns
        self.styles.grid_columns = str(TILE[0])
        self.styles.grid_rows = str(TILE[1])

    def compose(self) -> ComposeResult:
        """Mount the thumbnails."""
        for _ in range(self.room):
            yield Thumb()

    def show(self, tiles: Sequence[Tile], at: int) -> None:
        """Show the page that holds the tile at that place."""
        first, last = page(at, len(tiles), self.room)
        for place, thumb in enumerate(self.query(Thumb), start=first):
            thumb.show(tiles[place] if place < last else None, place == at)

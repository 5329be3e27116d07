"""Thumbnails of members of the focused cluster."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical

from vaetui.engine.clusters import Pixels
from vaetui.session.views import MemberOrder
from vaetui.tui.presenters.layout import THUMBNAIL_CELLS
from vaetui.tui.widgets.picture import Picture
from vaetui.tui.widgets.text_line import TextLine


class MemberGrid(Vertical):
    """A heading above a grid of member images."""

    DEFAULT_CSS = """
    MemberGrid { width: auto; height: 100%; padding-left: 1; }
    MemberGrid TextLine { height: 1; }
    MemberGrid Container { layout: grid; grid-gutter: 1 1; width: auto; height: auto; }
    """

    def __init__(self, columns: int, rows: int) -> None:
        """Create a grid of `columns` times `rows` thumbnails."""
        super().__init__()
        self.capacity = columns * rows
        """The number of members that fit."""
        self._columns = columns
        self.styles.width = columns * (THUMBNAIL_CELLS[0] + 1) + 1

    def compose(self) -> ComposeResult:
        """Mount the heading and the pictures."""
        yield TextLine()
        with Container() as grid:
            grid.styles.grid_size_columns = self._columns
            grid.styles.grid_columns = str(THUMBNAIL_CELLS[0])
            grid.styles.grid_rows = str(THUMBNAIL_CELLS[1])
            for _ in range(self.capacity):
                yield Picture(THUMBNAIL_CELLS)

    def show_members(self, order: MemberOrder, pixels: Pixels) -> None:
        """Show these members, [N, H, W] or [N, H, W, 3]; N is 0 until the images are loaded."""
        heading = Text.assemble((f"{order} members", "bold"))
        if len(pixels) == 0:
            heading.append("  loading the images …")
        self.query_one(TextLine).set_text(heading)
        for index, picture in enumerate(self.query(Picture)):
            # One picture per turn of the event loop: keys are handled between two pictures.
            self.call_later(picture.show_image, pixels[index] if index < len(pixels) else None)

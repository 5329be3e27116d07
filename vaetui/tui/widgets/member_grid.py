"""Real members of the focused cluster, as thumbnails; it does not know how they were chosen."""

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
    """A title and some rows of pictures."""

    DEFAULT_CSS = """
    MemberGrid { width: auto; height: 100%; padding-left: 1; }
    MemberGrid TextLine { height: 1; }
    MemberGrid Container { layout: grid; grid-gutter: 1 1; width: auto; height: auto; }
    """

    def __init__(self, columns: int, rows: int) -> None:
        """Take this many pictures across and down."""
        super().__init__()
        self._columns, self._rows = columns, rows
        self.styles.width = columns * (THUMBNAIL_CELLS[0] + 1) + 1

    @property
    def capacity(self) -> int:
        """Tell how many members there is room for."""
        return self._columns * self._rows

    def compose(self) -> ComposeResult:
        """Mount the pictures."""
        yield TextLine()
        with Container() as grid:
            grid.styles.grid_size_columns = self._columns
            grid.styles.grid_columns = str(THUMBNAIL_CELLS[0])
            grid.styles.grid_rows = str(THUMBNAIL_CELLS[1])
            for _ in range(self.capacity):
                yield Picture(THUMBNAIL_CELLS)

    def show(self, order: MemberOrder, pixels: Pixels) -> None:
        """Show these members, [N, H, W]; none while the images are not there."""
        title = Text.assemble((f"{order} members", "bold"))
        if len(pixels) == 0:
            title.append("  loading the images …")
        self.query_one(TextLine).set_text(title)
        for at, picture in enumerate(self.query(Picture)):
            # One a turn of the loop: a key that comes meanwhile is answered between two pictures.
            self.call_later(picture.show, pixels[at] if at < len(pixels) else None)

"""Pictures side by side, as many and as large as the terminal allows; it does not know what they show."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Size

from vaetui.engine.clusters import Pixels
from vaetui.tui.presenters.layout import GridLayout, compute_grid_layout
from vaetui.tui.widgets.picture import Picture


class ImageGrid(Container):
    """A grid of pictures that is hung anew where another size wants it."""

    DEFAULT_CSS = """
    ImageGrid { width: 100%; height: 1fr; align: center middle; overflow: hidden; }
    ImageGrid > Container { layout: grid; grid-gutter: 1 1; width: auto; height: auto; }
    """

    _grid_layout: GridLayout

    @property
    def capacity(self) -> int:
        """Tell how many pictures there is room for."""
        return self._grid_layout.columns * self._grid_layout.rows

    def compose(self) -> ComposeResult:
        """Mount the pictures, for the size that the terminal has."""
        hanging = self._grid_layout = compute_grid_layout(*self.app.size)
        with Container() as grid:
            grid.styles.grid_size_columns = hanging.columns
            grid.styles.grid_columns, grid.styles.grid_rows = map(str, hanging.image_cells)
            for _ in range(self.capacity):
                yield Picture(hanging.image_cells)

    async def relayout(self, size: Size) -> bool:
        """Hang everything anew where another size wants it, and tell whether it did."""
        if compute_grid_layout(*size) == self._grid_layout:
            return False
        await self.recompose()
        return True

    def show(self, pixels: Pixels) -> None:
        """Show the first of these pictures, [N, H, W]."""
        for at, picture in enumerate(self.query(Picture)):
            # One a turn of the loop: a key that comes meanwhile is answered between two pictures.
            self.call_later(picture.show, pixels[at] if at < len(pixels) else None)

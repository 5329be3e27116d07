"""A grid of images whose number and size follow the terminal's size."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Size

from vaetui.engine.clusters import Pixels
from vaetui.tui.presenters.layout import GridLayout, compute_grid_layout
from vaetui.tui.widgets.picture import Picture


class ImageGrid(Container):
    """A grid of pictures of equal size."""

    DEFAULT_CSS = """
    ImageGrid { width: 100%; height: 1fr; align: center middle; overflow: hidden; }
    ImageGrid > Container { layout: grid; grid-gutter: 1 1; width: auto; height: auto; }
    """

    _grid_layout: GridLayout

    @property
    def capacity(self) -> int:
        """The number of images that fit."""
        return self._grid_layout.columns * self._grid_layout.rows

    def compose(self) -> ComposeResult:
        """Mount the pictures for the current size of the terminal."""
        layout = self._grid_layout = compute_grid_layout(*self.app.size)
        with Container() as grid:
            grid.styles.grid_size_columns = layout.columns
            grid.styles.grid_columns, grid.styles.grid_rows = map(str, layout.image_cells)
            for _ in range(self.capacity):
                yield Picture(layout.image_cells)

    async def update_layout(self, size: Size) -> bool:
        """Mount all pictures again if `size` requires another layout, and return whether it did."""
        if compute_grid_layout(*size) == self._grid_layout:
            return False
        await self.recompose()
        return True

    def show_images(self, pixels: Pixels) -> None:
        """Show the first `capacity` images of [N, H, W] or [N, H, W, 3]."""
        for index, picture in enumerate(self.query(Picture)):
            # One picture per turn of the event loop: keys are handled between two pictures.
            self.call_later(picture.show_image, pixels[index] if index < len(pixels) else None)

"""A grid of many images of which one is selected, or the selected one alone and as large as it fits."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.clusters import Pixels
from vaetui.tui.presenters.layout import GridLayout, fit_picture_cells
from vaetui.tui.widgets.tiled_images import Place, TiledImages, list_grid_places


class SelectableImages(TiledImages):
    """Images in a grid that share the lines between them; a heavy frame marks the selected one."""

    DEFAULT_CSS = """
    SelectableImages { width: 100%; height: 1fr; }
    """

    def __init__(self) -> None:
        """Create a grid without images."""
        super().__init__()
        self._framed_place: Place | None = None

    def show_images(self, grid: GridLayout, images: Sequence[Pixels | None], selected_position: int) -> None:
        """Show the images of one page, with the one at `selected_position` in a frame."""
        # The grid stands in the middle of the widget.
        left = max((self.size.width - grid.columns * grid.column_cells - 1) // 2, 0)
        top = max((self.size.height - grid.rows * grid.row_cells - 1) // 2, 0)
        self._show(list_grid_places(grid, left + 1, top + 1), images, selected_position)

    def show_full_size(self, pixels: Pixels) -> None:
        """Show one image as large as it fits, [H, W] or [H, W, 3]."""
        width, height = self.size
        columns, rows = fit_picture_cells(width - 2, height - 2, (pixels.shape[1], pixels.shape[0]))
        columns, rows = min(columns, width - 2), min(rows, height - 2)
        place = Place((width - columns) // 2, (height - rows) // 2, (columns, rows))
        self._show([place], [pixels], 0)

    def _show(self, places: Sequence[Place], images: Sequence[Pixels | None], selected_position: int) -> None:
        if list(places) != self.places:
            self._framed_place = None
            self.place_images(places)
        place = places[selected_position]
        if place != self._framed_place:
            if self._framed_place is not None:
                self.write_frame(self._framed_place, is_shown=False)
            self.write_frame(place)
            self._framed_place = place
        self.draw_images(images)

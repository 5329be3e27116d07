"""A grid of images with a caption below each, of which one is selected, or one image as large as it fits."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.clusters import Pixels
from vaetui.tui.presenters.layout import GridLayout, fit_picture_cells
from vaetui.tui.presenters.styled_text import Piece, count_cells
from vaetui.tui.widgets.tiled_images import Place, TiledImages, list_grid_places


class SelectableTiles(TiledImages):
    """Images with captions that stand in the lower side of their frames; a heavy frame marks the selected one."""

    DEFAULT_CSS = """
    SelectableTiles { width: 100%; height: 1fr; }
    """

    def __init__(self) -> None:
        """Create a grid without images."""
        super().__init__()
        self._framed_place: Place | None = None

    def show_tiles(
        self,
        grid: GridLayout,
        images: Sequence[Pixels | None],
        captions: Sequence[Sequence[Piece]],
        selected_position: int,
    ) -> None:
        """Show one page of images, with the one at `selected_position` in a frame.

        The grid, which has a `row_gap` of 2, stands in the middle of the widget.
        """
        self._place(self.list_places(grid))
        self._move_frame(self.places[selected_position])
        for position, (x, y, (columns, rows)) in enumerate(self.places):
            caption = captions[position] if position < len(captions) else ()
            if position == selected_position:
                caption = (*caption, ("━" * (columns - count_cells(caption)), "focus"))
            self.write_text(x, y + rows, caption, columns)
        self.draw_images(images)

    def list_places(self, grid: GridLayout) -> list[Place]:
        """Return the places of a grid in the middle of the widget."""
        left = max((self.size.width - grid.columns * grid.column_cells - 1) // 2, 0)
        top = max((self.size.height - grid.rows * grid.row_cells) // 2, 0)
        return list_grid_places(grid, left + 1, top + 1)

    def show_full_size(self, pixels: Pixels) -> None:
        """Show one image as large as it fits, [H, W] or [H, W, 3], in a frame."""
        width, height = self.size
        columns, rows = fit_picture_cells(width - 2, height - 2, (pixels.shape[1], pixels.shape[0]))
        columns, rows = min(columns, width - 2), min(rows, height - 2)
        place = Place((width - columns) // 2, (height - rows) // 2, (columns, rows))
        self._place([place])
        self._move_frame(place)
        self.write_text(place.x, place.y + rows, [("━" * columns, "focus")])
        self.draw_images([pixels])

    def clear(self) -> None:
        """Show no image."""
        self._place([])

    def _place(self, places: Sequence[Place]) -> None:
        if list(places) != self.places:
            self._framed_place = None
            self.place_images(places)

    def _move_frame(self, place: Place) -> None:
        """Draw the frame around a place, apart from its lower side, and remove the last frame."""
        if place == self._framed_place:
            return
        if self._framed_place is not None:
            self.write_frame(self._framed_place, is_shown=False, has_lower_side=False)
        self.write_frame(place, has_lower_side=False)
        self._framed_place = place

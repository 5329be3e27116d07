"""A grid of small images, each with a caption below it."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.clusters import Pixels
from vaetui.tui.presenters.layout import THUMBNAIL_CELLS, GridLayout
from vaetui.tui.presenters.styled_text import Piece, count_cells
from vaetui.tui.widgets.tiled_images import TiledImages, list_grid_places


class CaptionedImages(TiledImages):
    """A heading above a grid of captioned thumbnails; a place without an image shows nothing."""

    def __init__(self, heading: str, columns: int, rows: int, *, id: str) -> None:
        """Create a grid of `columns` times `rows` thumbnails."""
        super().__init__(id=id)
        grid = GridLayout(THUMBNAIL_CELLS, columns, rows)
        self.capacity = grid.capacity
        """The number of images that fit."""
        self.styles.width, self.styles.height = columns * grid.column_cells + 1, 1 + rows * grid.row_cells
        self.place_images(list_grid_places(grid))
        self.write_text(1, 0, [(heading, "strong")])

    def show_images(self, images: Sequence[Pixels | None], captions: Sequence[Sequence[Piece]]) -> None:
        """Show exactly `capacity` images with their captions."""
        for place, caption in zip(self.places, captions, strict=True):
            columns, rows = place.cells
            left = max(columns - count_cells(caption), 0) // 2
            self.write_text(place.x, place.y + rows, [(" " * left, ""), *caption], columns)
        # In a later turn of the event loop: a key that arrived meanwhile is handled first.
        self.call_later(self.draw_images, list(images))

"""A grid of small images, each with a caption below it."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.clusters import Pixels
from vaetui.tui.presenters.layout import THUMBNAIL_CELLS
from vaetui.tui.presenters.styled_text import Piece, count_cells
from vaetui.tui.widgets.tiled_images import Place, TiledImages


class CaptionedImages(TiledImages):
    """A heading above a grid of captioned thumbnails; a place without an image shows nothing."""

    def __init__(self, heading: str, columns: int, rows: int, *, id: str) -> None:
        """Create a grid of `columns` times `rows` thumbnails."""
        super().__init__(id=id)
        self.capacity = columns * rows
        """The number of images that fit."""
        width, height = THUMBNAIL_CELLS
        self.styles.width, self.styles.height = columns * (width + 1) + 1, 1 + rows * (height + 1)
        self.place_images(
            [
                Place(1 + column * (width + 1), 1 + row * (height + 1), THUMBNAIL_CELLS)
                for row in range(rows)
                for column in range(columns)
            ]
        )
        self.write_text(1, 0, [(heading, "strong")])

    def show_images(self, images: Sequence[Pixels | None], captions: Sequence[Sequence[Piece]]) -> None:
        """Show exactly `capacity` images with their captions."""
        for place, caption in zip(self.places, captions, strict=True):
            columns, rows = place.cells
            left = max(columns - count_cells(caption), 0) // 2
            self.write_text(place.x, place.y + rows, [(" " * left, ""), *caption], columns)
        # In a later turn of the event loop: a key that arrived meanwhile is handled first.
        self.call_later(self._draw_images, list(images))

    def _draw_images(self, images: Sequence[Pixels | None]) -> None:
        for index, image in enumerate(images):
            self.draw_image(index, image)

"""The picture of a cluster above as many of its nearest members as fit."""

from __future__ import annotations

from vaetui.engine.clusters import Pixels
from vaetui.tui.presenters.layout import THUMBNAIL_CELLS, GridLayout
from vaetui.tui.presenters.styled_text import Piece
from vaetui.tui.widgets.tiled_images import LOADING_TEXT, Place, TiledImages, list_grid_places

LARGE_CENTRE_CELLS, SMALL_CENTRE_CELLS = (28, 14), (20, 10)
"""Columns and rows of the centre, and where two rows of members would not fit below the large one."""


class AnswerPreview(TiledImages):
    """Pictures of one cluster."""

    DEFAULT_CSS = """
    AnswerPreview { height: 1fr; }
    """

    capacity = 0
    """The number of members that fit."""

    def update_layout(self, columns: int, rows: int) -> None:
        """Place the pictures in a part of the screen of that size."""
        self.styles.width = columns
        row_cells = THUMBNAIL_CELLS[1] + 1
        large_rows = LARGE_CENTRE_CELLS[1] + 2 * row_cells + 2
        centre_cells = (
            LARGE_CENTRE_CELLS if columns > LARGE_CENTRE_CELLS[0] and rows >= large_rows else SMALL_CENTRE_CELLS
        )
        first_row = 1 + centre_cells[1] + 1
        row_count = max((rows - first_row + 1) // row_cells, 0)
        grid = GridLayout(THUMBNAIL_CELLS, columns // (THUMBNAIL_CELLS[0] + 1), row_count)
        self.capacity = grid.capacity
        self.place_images([Place(1, 1, centre_cells), *list_grid_places(grid, y=first_row)])

    def show_centre(self, centre: Pixels | None, heading: str = "decoded centre") -> None:
        """Show a decoded centre or the nearest image without members, or nothing for None."""
        self.write_text(1, 0, [] if centre is None else [(heading, "strong")], 20)
        self._write_heading([])
        self.draw_images([centre])

    def show_members(self, pixels: Pixels) -> None:
        """Show members, [N, H, W] or [N, H, W, 3]; N is 0 until the images are loaded."""
        if self.capacity:
            self._write_heading([("nearest members", "strong")] if len(pixels) else [(LOADING_TEXT, "")])
        for index in range(self.capacity):
            self.draw_image(index + 1, pixels[index] if index < len(pixels) else None)

    def _write_heading(self, pieces: list[Piece]) -> None:
        if self.places:
            self.write_text(1, 1 + self.places[0].cells[1], pieces, 20)

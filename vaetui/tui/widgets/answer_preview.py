"""The decoded centre of a cluster above as many of its nearest members as fit."""

from __future__ import annotations

from vaetui.engine.clusters import Pixels
from vaetui.tui.presenters.layout import THUMBNAIL_CELLS
from vaetui.tui.presenters.styled_text import Piece
from vaetui.tui.widgets.tiled_images import Place, TiledImages

LARGE_CENTRE_CELLS, SMALL_CENTRE_CELLS = (28, 14), (20, 10)
"""Columns and rows of the centre, and where two rows of members would not fit below the large one."""
LOADING_TEXT = "loading the images …"


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
        gap_rows = 1
        large_rows = LARGE_CENTRE_CELLS[1] + 2 * (THUMBNAIL_CELLS[1] + gap_rows) + 2
        centre_cells = (
            LARGE_CENTRE_CELLS if columns > LARGE_CENTRE_CELLS[0] and rows >= large_rows else SMALL_CENTRE_CELLS
        )
        first_row = 1 + centre_cells[1] + 1
        column_count = columns // (THUMBNAIL_CELLS[0] + 1)
        row_count = max((rows - first_row + gap_rows) // (THUMBNAIL_CELLS[1] + gap_rows), 0)
        places = [Place(1, 1, centre_cells)]
        for row in range(row_count):
            y = first_row + row * (THUMBNAIL_CELLS[1] + gap_rows)
            places += [
                Place(1 + column * (THUMBNAIL_CELLS[0] + 1), y, THUMBNAIL_CELLS) for column in range(column_count)
            ]
        self.capacity = len(places) - 1
        self.place_images(places)

    def show_centre(self, centre: Pixels | None) -> None:
        """Show a decoded centre without members, or nothing for None."""
        self.write_text(1, 0, [] if centre is None else [("decoded centre", "strong")], 20)
        self.draw_image(0, centre)
        self._write_heading([])
        for index in range(self.capacity):
            self.draw_image(index + 1, None)

    def show_members(self, pixels: Pixels) -> None:
        """Show members, [N, H, W] or [N, H, W, 3]; N is 0 until the images are loaded."""
        if self.capacity:
            self._write_heading([("nearest members", "strong")] if len(pixels) else [(LOADING_TEXT, "")])
        for index in range(self.capacity):
            self.draw_image(index + 1, pixels[index] if index < len(pixels) else None)

    def _write_heading(self, pieces: list[Piece]) -> None:
        if self.places:
            self.write_text(1, 1 + self.places[0].cells[1], pieces, 20)

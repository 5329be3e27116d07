"""A grid of captioned images whose left and right halves stand apart."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.tui.presenters.layout import GridLayout
from vaetui.tui.widgets.selectable_tiles import SelectableTiles
from vaetui.tui.widgets.tiled_images import Place

GAP_CELLS = 2
"""Additional columns between the halves, with a line in the middle."""


class SplitTiles(SelectableTiles):
    """Selectable images of two kinds, with a line between them."""

    def list_places(self, grid: GridLayout) -> list[Place]:
        """Return the places of a grid with an even number of columns, in the middle of the widget."""
        half = grid.columns // 2
        width = grid.columns * grid.column_cells + GAP_CELLS
        left = max((self.size.width - width - 1) // 2, 0)
        return [
            place._replace(x=left + 1 + column * grid.column_cells + (GAP_CELLS if column >= half else 0))
            for index, place in enumerate(super().list_places(grid))
            for column in [index % grid.columns]
        ]

    def _place(self, places: Sequence[Place]) -> None:
        is_new = list(places) != self.places
        super()._place(places)
        columns = sorted({place.x for place in places})
        if is_new and len(columns) >= 2:
            x = columns[len(columns) // 2] - 2
            for y in range(self.size.height):
                self.write_text(x, y, [("│", "dim")])

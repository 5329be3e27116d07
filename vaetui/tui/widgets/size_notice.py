"""The sizes at which screens change, and what one says that has no room; it does not know which screen that is."""

from __future__ import annotations

from textual.app import RenderResult
from textual.widget import Widget

MIN_SIZE_CELLS = (60, 18)
"""Columns and rows that the screens need."""
WIDE_COLUMNS = 110
"""Columns from which on there is room for more beside the rest."""
TALL_ROWS = 34
"""Rows from which on there is room for more below the rest."""
COLUMN_BREAKPOINTS = [(0, "-narrow"), (MIN_SIZE_CELLS[0], "-normal"), (WIDE_COLUMNS, "-wide")]
"""Classes that a screen has by its columns, each from that number on."""
ROW_BREAKPOINTS = [(0, "-low"), (MIN_SIZE_CELLS[1], "-short"), (TALL_ROWS, "-tall")]
"""Classes that a screen has by its rows, likewise."""
TOO_SMALL_CLASSES = ("-narrow", "-low")
"""Classes of a screen that has less than the least of either."""


class SizeNotice(Widget):
    """One sentence in place of a screen that would be cut off."""

    def render(self) -> RenderResult:
        """Ask for more room."""
        columns, rows = MIN_SIZE_CELLS
        return f"vaetui needs at least {columns} columns and {rows} rows: please make the terminal larger."

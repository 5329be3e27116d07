"""The sizes at which screens change, and what one says that has no room; it does not know which screen that is."""

from __future__ import annotations

from textual.app import RenderResult
from textual.widget import Widget

LEAST = (60, 18)
"""Columns and rows that the screens need."""
WIDE = 110
"""Columns from which on there is room for more beside the rest."""
HIGH = 34
"""Rows from which on there is room for more below the rest."""
BREADTHS = [(0, "-narrow"), (LEAST[0], "-normal"), (WIDE, "-wide")]
"""Classes that a screen has by its columns, each from that number on."""
HEIGHTS = [(0, "-low"), (LEAST[1], "-short"), (HIGH, "-tall")]
"""Classes that a screen has by its rows, likewise."""
CRAMPED = ("-narrow", "-low")
"""Classes of a screen that has less than the least of either."""


class Room(Widget):
    """One sentence in place of a screen that would be cut off."""

    def render(self) -> RenderResult:
        """Ask for more room."""
        columns, rows = LEAST
        return f"vaetui needs at least {columns} columns and {rows} rows: please make the terminal larger."

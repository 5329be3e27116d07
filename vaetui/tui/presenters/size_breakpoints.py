"""The terminal sizes at which the screens change their layout."""

from __future__ import annotations

MIN_SIZE_CELLS = (60, 18)
"""Columns and rows that the screens need."""
WIDE_COLUMNS = 110
"""From this number of columns on, screens show additional parts beside the others."""
TALL_ROWS = 34
"""From this number of rows on, screens show additional parts below the others."""
COLUMN_BREAKPOINTS = [(0, "-narrow"), (MIN_SIZE_CELLS[0], "-normal"), (WIDE_COLUMNS, "-wide")]
"""CSS classes of a screen by its columns, each from the given number on."""
ROW_BREAKPOINTS = [(0, "-low"), (MIN_SIZE_CELLS[1], "-short"), (TALL_ROWS, "-tall")]
"""CSS classes of a screen by its rows, each from the given number on."""
TOO_SMALL_CLASSES = ("-narrow", "-low")
"""CSS classes of a screen that is smaller than `MIN_SIZE_CELLS`."""
HIDDEN_CLASS = "-hidden"
"""CSS class of a widget that is not shown; an inline `display` would overrule the rule for small terminals."""

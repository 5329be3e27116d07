"""The notice shown instead of a screen when the terminal is too small."""

from __future__ import annotations

from textual.app import RenderResult
from textual.widget import Widget

from vaetui.tui.presenters.screen_size import MIN_SIZE_CELLS


class SizeNotice(Widget):
    """A sentence that replaces a screen which does not fit the terminal."""

    def render(self) -> RenderResult:
        """Return the sentence with the required size."""
        columns, rows = MIN_SIZE_CELLS
        return f"vaetui needs at least {columns} columns and {rows} rows. Enlarge the terminal."

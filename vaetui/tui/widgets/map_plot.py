"""The widget that draws the map of the images, row by row."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from vaetui.tui.presenters.map_presenter import StyledText


class MapPlot(Widget):
    """Rows of styled text; only rows that differ from the last ones are painted."""

    DEFAULT_CSS = """
    MapPlot { width: 1fr; height: 1fr; color: $foreground; }
    """

    def __init__(self) -> None:
        """Create an empty plot."""
        super().__init__()
        self._lines: Sequence[Sequence[StyledText]] = ()

    def show_lines(self, lines: Sequence[Sequence[StyledText]]) -> None:
        """Show the rows."""
        if len(lines) != len(self._lines):
            self._lines = lines
            self.refresh()
            return
        width = self.size.width
        changed_rows = [row for row, line in enumerate(lines) if line != self._lines[row]]
        self._lines = lines
        if changed_rows:
            self.refresh(*(Region(0, row, width, 1) for row in changed_rows))

    def render_line(self, y: int) -> Strip:
        """Return one row of cells."""
        base_style, width = self.rich_style, self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, base_style)
        segments = [Segment(text, base_style + Style.parse(style)) for text, style in self._lines[y]]
        return Strip(segments, sum(cell_len(text) for text, _ in self._lines[y])).adjust_cell_length(width, base_style)

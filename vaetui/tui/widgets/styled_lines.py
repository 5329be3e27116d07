"""A widget for rows of styled text, of which only those that change are painted."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from vaetui.tui.presenters.styled_text import RICH_STYLES, Piece, count_cells


class StyledLines(Widget):
    """Rows of pieces of text; longer rows are cut."""

    DEFAULT_CSS = """
    StyledLines { width: 1fr; height: 1fr; color: $foreground; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """Create a widget without rows."""
        super().__init__(id=id)
        self.lines: Sequence[Sequence[Piece]] = ()
        """The rows that are shown."""

    def show_lines(self, lines: Sequence[Sequence[Piece]]) -> None:
        """Show these rows in place of the others."""
        previous_lines, self.lines = self.lines, lines
        if len(lines) != len(previous_lines):
            self.refresh()
            return
        width = self.size.width
        changed_rows = [row for row, line in enumerate(lines) if line != previous_lines[row]]
        if changed_rows:
            self.refresh(*(Region(0, row, width, 1) for row in changed_rows))

    def render_line(self, y: int) -> Strip:
        """Return one row of cells."""
        base_style, width = self.rich_style, self.size.width
        if y >= len(self.lines):
            return Strip.blank(width, base_style)
        segments = [
            Segment(text, base_style + Style.parse(RICH_STYLES.get(style, style))) for text, style in self.lines[y]
        ]
        return Strip(segments, count_cells(self.lines[y])).adjust_cell_length(width, base_style)

"""A horizontal bar chart of counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.widget import Widget

from vaetui.tui.presenters.cluster_text import truncate_name
from vaetui.tui.presenters.number_format import format_bar


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart."""

    name: str
    """The name before the bar."""
    count: int
    """The length of the bar, and the number behind it."""
    style: str = "cyan"
    """Its colour, as a Rich style."""


class BarChart(Widget):
    """A name, a bar and a number in each line; the longest bar is the largest count."""

    DEFAULT_CSS = """
    BarChart { border: round $foreground 40%; border-title-color: $foreground; border-title-style: bold; padding: 0 1; }
    """

    def __init__(self, heading: str, bars: Sequence[Bar], id: str | None = None) -> None:
        """Create a chart of these bars with `heading` in its frame."""
        super().__init__(id=id)
        self.border_title = Text(heading)
        self._bars = bars

    def show_bars(self, bars: Sequence[Bar]) -> None:
        """Replace the bars."""
        self._bars = bars
        self.refresh()

    def render(self) -> Text:
        """Return the bars, with empty lines between them where the height allows."""
        if not self._bars:
            return Text("nothing yet")
        max_name_cells = max(self.content_size.width // 3, 1)
        names = [truncate_name(bar.name, max_name_cells) for bar in self._bars]
        name_width = max(map(cell_len, names))
        max_count = max(1, *(bar.count for bar in self._bars))
        number_width = len(f"{max_count:,}")
        bar_width = max(self.content_size.width - name_width - number_width - 2, 1)
        lines = []
        for name, bar in zip(names, self._bars, strict=True):
            drawn = format_bar(bar.count / max_count, bar_width, bar.style)
            padded_name = set_cell_size("", name_width - cell_len(name)) + name
            lines.append(Text.assemble((f"{padded_name} ", "bold"), drawn, f" {bar.count:>{number_width},}"))
        height = self.content_size.height
        if len(lines) > height > 1:
            lines[height - 1 :] = [Text(f"and {len(lines) - height + 1} more", "dim")]
        is_spaced = height >= 2 * len(lines) - 1
        return Text("\n\n" if is_spaced else "\n").join(lines)

"""A horizontal bar chart of counts."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widget import Widget

from vaetui.tui.presenters.number_format import format_bar


class BarChart(Widget):
    """A name, a bar and a number in each line; the longest bar is the largest count."""

    DEFAULT_CSS = """
    BarChart { border: round $foreground 40%; border-title-color: $foreground; border-title-style: bold; padding: 0 1; }
    """

    def __init__(self, heading: str, counts: Sequence[tuple[str, int]], id: str | None = None) -> None:
        """Create a chart of (name, count) pairs with `heading` in its frame."""
        super().__init__(id=id)
        self.border_title = Text(heading)
        self._counts = counts

    def render(self) -> Text:
        """Return the bars, with empty lines between them where the height allows."""
        if not self._counts:
            return Text("nothing yet")
        name_width = max(len(name) for name, _ in self._counts)
        max_count = max(1, *(count for _, count in self._counts))
        number_width = len(f"{max_count:,}")
        bar_width = max(self.content_size.width - name_width - number_width - 2, 1)
        lines = []
        for name, count in self._counts:
            bar = format_bar(count / max_count, bar_width, "cyan")
            lines.append(Text.assemble((f"{name:>{name_width}} ", "bold"), bar, f" {count:>{number_width},}"))
        height = self.content_size.height
        if len(lines) > height > 1:
            lines[height - 1 :] = [Text(f"and {len(lines) - height + 1} more", "dim")]
        is_spaced = height >= 2 * len(lines) - 1
        return Text("\n\n" if is_spaced else "\n").join(lines)

"""Counts as horizontal bars; it does not know what is counted."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widget import Widget

from vaetui.tui.presenters.number_format import format_bar


class BarChart(Widget):
    """A name, a bar and a number in each line, the longest bar for the greatest number."""

    DEFAULT_CSS = """
    BarChart {
        border: round $foreground 40%;
        border-title-color: $foreground;
        border-title-style: bold;
        padding: 0 1;
    }
    """

    def __init__(self, heading: str, counts: Sequence[tuple[str, int]], id: str | None = None) -> None:
        """Show these counts under that heading."""
        super().__init__(id=id)
        self._heading = heading
        self._counts = counts

    def on_mount(self) -> None:
        """Write the heading into the frame."""
        self.border_title = Text(self._heading)

    def render(self) -> Text:
        """Draw the bars; where there is room, with an empty line between them."""
        if not self._counts:
            return Text("nothing yet")
        names = max(len(name) for name, _ in self._counts)
        most = max(1, *(count for _, count in self._counts))
        numbers = len(f"{most:,}")
        width = max(self.content_size.width - names - numbers - 2, 1)
        lines = []
        for name, count in self._counts:
            bar = format_bar(count / most, width, "cyan")
            lines.append(Text.assemble((f"{name:>{names}} ", "bold"), bar, f" {count:>{numbers},}"))
        room = self.content_size.height
        if len(lines) > room > 1:
            lines[room - 1 :] = [Text(f"and {len(lines) - room + 1} more", "dim")]
        airy = room >= 2 * len(lines) - 1
        return Text("\n\n" if airy else "\n").join(lines)

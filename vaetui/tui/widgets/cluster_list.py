"""The clusters of the round as a list of names and answers, for small terminals."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from vaetui.engine.classes import ClassList
from vaetui.session.views import ClusterView
from vaetui.tui.presenters.cluster_text import format_cluster_name
from vaetui.tui.presenters.layout import compute_page_bounds
from vaetui.tui.presenters.styled_text import count_cells, format_list_entry, to_text
from vaetui.tui.widgets.text_line import TextLine

MIN_ANSWER_CELLS, MAX_ANSWER_CELLS = 5, 12
"""Minimum and maximum width of an answer; more would leave too few columns."""


class ClusterList(TextLine):
    """Pages of names and answers in columns; brackets mark the focused cluster."""

    DEFAULT_CSS = """
    ClusterList { width: 100%; height: 1fr; }
    """

    def __init__(self, width: int, rows: int) -> None:
        """Create a list of `width` cells and `rows` lines."""
        super().__init__()
        self._width, self._rows = width, rows
        self.clusters_per_row = 1
        """Clusters in a row."""

    @property
    def page_size(self) -> int:
        """Clusters on a page."""
        return self.clusters_per_row * self._rows

    def set_row_count(self, rows: int) -> None:
        """Use so many lines from now on."""
        self._rows = rows

    def show_clusters(self, clusters: Sequence[ClusterView], focus_index: int, classes: ClassList) -> None:
        """Show the page that contains the cluster at `focus_index`."""
        name_width = max(len(format_cluster_name(cluster)) for cluster in clusters)
        entries = [format_list_entry(cluster, classes, name_width, MAX_ANSWER_CELLS) for cluster in clusters]
        # The minimum, of an answer with a confidence, keeps the columns in place.
        entry_width = max(name_width + 1 + MIN_ANSWER_CELLS, *map(count_cells, entries))
        self.clusters_per_row = max(self._width // (entry_width + 2), 1)
        start, end = compute_page_bounds(focus_index, len(clusters), self.page_size)
        text = Text()
        for index in range(start, end):
            is_focused = index == focus_index
            entry = to_text(entries[index])
            entry.pad_right(entry_width - entry.cell_len)
            left, right = "[]" if is_focused else "  "
            entry = Text.assemble(left, entry, right)
            if is_focused:
                entry.stylize("bold reverse")
            text.append_text(entry)
            if (index - start) % self.clusters_per_row == self.clusters_per_row - 1:
                text.append("\n")
        self.set_text(text)

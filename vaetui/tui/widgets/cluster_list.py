"""The clusters of the round as a list of names and answers, for small terminals."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from vaetui.engine.classes import ClassList
from vaetui.session.views import ClusterView
from vaetui.tui.presenters.cluster_text import format_answer, format_cluster_name
from vaetui.tui.presenters.layout import compute_page_bounds
from vaetui.tui.widgets.text_line import TextLine

MAX_NAME_CELLS = 8
"""Maximum width of a class name; more would leave too few columns."""


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

    def show_clusters(self, clusters: Sequence[ClusterView], focus_index: int, classes: ClassList) -> None:
        """Show the page that contains the cluster at `focus_index`."""
        name_width = max(len(format_cluster_name(cluster)) for cluster in clusters)
        # Most answers take up to five cells, a split up to seven: the minimum keeps the columns in place.
        answers = [format_answer(cluster, classes, MAX_NAME_CELLS) for cluster in clusters]
        answer_width = max(5, *map(cell_len, answers))
        self.clusters_per_row = max(self._width // (name_width + answer_width + 3), 1)
        start, end = compute_page_bounds(focus_index, len(clusters), self.page_size)
        text = Text()
        for index in range(start, end):
            cluster, is_focused = clusters[index], index == focus_index
            entry = f"{format_cluster_name(cluster):>{name_width}} {set_cell_size(answers[index], answer_width)}"
            style = "bold reverse" if is_focused else "" if cluster.answer is None else "dim"
            text.append(f"[{entry}]" if is_focused else f" {entry} ", style)
            if (index - start) % self.clusters_per_row == self.clusters_per_row - 1:
                text.append("\n")
        self.set_text(text)

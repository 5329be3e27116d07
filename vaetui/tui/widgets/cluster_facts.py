"""The size of the focused cluster and what the classifier calls its members; it draws no conclusion."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from vaetui.engine.classes import ClassList
from vaetui.session.views import ClusterView
from vaetui.tui.presenters.cluster_text import format_cluster_size, format_votes
from vaetui.tui.widgets.text_line import TextLine

MAX_NAME_CELLS = 12
"""Cells of a name that are shown beside a bar."""
VOTE_TEXT_LIMITS = ((3,), (2,), (3, MAX_NAME_CELLS), (2, MAX_NAME_CELLS), (1, MAX_NAME_CELLS), (1, 3))
"""Classes and cells of a name that one line tells: as many as it can."""
MAX_BAR_CELLS = 16
"""Cells of a bar that stands for all members, at most."""


class ClusterFacts(TextLine):
    """One line under the pictures, or a panel beside them where there is room."""

    DEFAULT_CSS = """
    ClusterFacts { height: 1; padding: 0 1; }
    ClusterFacts.panel { width: 1fr; height: 100%; padding: 1 1 0 2; }
    """

    def __init__(self, panel_width: int = 0) -> None:
        """Be a panel with lines of so many cells; with 0 be one line."""
        super().__init__(classes="panel" if panel_width else None)
        self._panel_width = panel_width

    def show(self, cluster: ClusterView, classes: ClassList) -> None:
        """Tell the facts of that tile."""
        if not self._panel_width:
            lines = [
                f"{format_cluster_size(cluster)}   {format_votes(cluster, classes, *fewer)}"
                for fewer in VOTE_TEXT_LIMITS
            ]
            self.set_text(Text(next((line for line in lines if cell_len(line) <= self.app.size.width - 2), lines[-1])))
            return
        words = Text.assemble((format_cluster_size(cluster).replace(", ", "\n"), "bold"), "\n\n")
        words.append("the classifier says\n" if cluster.class_shares else format_votes(cluster, classes))
        votes = cluster.class_shares[:8]
        wide = min(
            max((cell_len(classes.names[label]) for label, _ in votes), default=0),
            MAX_NAME_CELLS,
            self._panel_width // 2,
        )
        bar = min(self._panel_width - wide - len("  100 %"), MAX_BAR_CELLS)
        for label, share in votes:
            name = set_cell_size(classes.names[label], wide)
            words.append(f"{name} {'━' * max(round(share * bar), 1):<{bar}} {share * 100:3.0f} %\n")
        self.set_text(words)

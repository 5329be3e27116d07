"""The size of the focused cluster and the classifier's predictions for its members."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from vaetui.engine.classes import ClassList
from vaetui.session.views import ClusterView
from vaetui.tui.presenters.class_colours import CLASS_MARK, get_class_style
from vaetui.tui.presenters.cluster_text import format_class_shares, format_cluster_size, format_share, truncate_name
from vaetui.tui.presenters.styled_text import format_answer_pieces, to_text
from vaetui.tui.widgets.text_line import TextLine

MAX_NAME_CELLS = 12
"""Maximum width of a class name beside a bar."""
SHARE_TEXT_LIMITS = ((3,), (2,), (3, MAX_NAME_CELLS), (2, MAX_NAME_CELLS), (1, MAX_NAME_CELLS), (1, 3))
"""Number of classes and cells per class name to try, until the text fits on one line."""
MAX_PANEL_CLASSES = 8
"""Maximum number of classes in the panel."""
MAX_BAR_CELLS = 16
"""Length of a bar for 100 %, if the panel is wide enough."""


class ClusterDetails(TextLine):
    """One line below the images, or a panel beside them on large terminals."""

    DEFAULT_CSS = """
    ClusterDetails { height: 1; padding: 0 1; }
    ClusterDetails.panel { width: 1fr; height: 100%; padding: 1 1 0 2; }
    """

    def __init__(self, panel_width: int = 0) -> None:
        """Create a panel with lines of `panel_width` cells, or a single line if 0."""
        super().__init__(classes="panel" if panel_width else None)
        self._panel_width = panel_width

    def show_cluster(self, cluster: ClusterView, classes: ClassList) -> None:
        """Show the details of `cluster`."""
        if self._panel_width:
            self.set_text(self._format_panel(cluster, classes))
            return
        candidate_lines = [
            f"{format_cluster_size(cluster)}   {format_class_shares(cluster, classes, *limits)}"
            for limits in SHARE_TEXT_LIMITS
        ]
        width = self.app.size.width - 2
        self.set_text(Text(next((line for line in candidate_lines if cell_len(line) <= width), candidate_lines[-1])))

    def _format_panel(self, cluster: ClusterView, classes: ClassList) -> Text:
        width = self._panel_width
        text = Text.assemble((format_cluster_size(cluster).replace(", ", "\n"), "bold"), "\n\n")
        answer = format_answer_pieces(cluster, classes, width)
        text.append_text(to_text(answer) if answer else Text("no answer", "dim")).append("\n\n")
        text.append("predicted classes\n" if cluster.class_shares else format_class_shares(cluster, classes))
        shown_shares = cluster.class_shares[:MAX_PANEL_CLASSES]
        name_cells = min(
            max((cell_len(classes.names[class_id]) for class_id, _ in shown_shares), default=0),
            MAX_NAME_CELLS,
            width // 2 - 2,
        )
        bar_cells = min(width - name_cells - len("■   100 %"), MAX_BAR_CELLS)
        for class_id, share in shown_shares:
            name = truncate_name(classes.names[class_id], name_cells)
            text.append(CLASS_MARK, get_class_style(class_id)).append(f" {set_cell_size(name, name_cells)} ")
            bar = "━" * max(round(share * bar_cells), 1)
            text.append(f"{bar:<{bar_cells}} {format_share(share):>5}\n")
        return text

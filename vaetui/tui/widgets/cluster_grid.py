"""The clusters of the round as thumbnails with their answers, for large terminals."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical

from vaetui.engine.classes import ClassList
from vaetui.session.views import ClusterView
from vaetui.tui.presenters.cluster_text import format_answer, format_cluster_name
from vaetui.tui.presenters.layout import CAPTIONED_THUMBNAIL_CELLS, THUMBNAIL_CELLS, compute_page_bounds
from vaetui.tui.widgets.picture import Picture
from vaetui.tui.widgets.text_line import TextLine


class ClusterThumbnail(Vertical):
    """One cluster: its centre, its name and answer below, and a heavy bar at the left if focused."""

    DEFAULT_CSS = """
    ClusterThumbnail TextLine { color: $foreground; }
    ClusterThumbnail TextLine.focused { color: $primary; text-style: bold; }
    ClusterThumbnail .bar { width: 1; }
    ClusterThumbnail .caption { width: 100%; height: 1; }
    """

    def compose(self) -> ComposeResult:
        """Mount the bar, the picture and the caption."""
        with Horizontal():
            yield TextLine(classes="bar")
            yield Picture(THUMBNAIL_CELLS)
        yield TextLine(classes="caption")

    def on_mount(self) -> None:
        """Set the fixed sizes."""
        self.styles.width, self.styles.height = CAPTIONED_THUMBNAIL_CELLS
        self.query_one(Horizontal).styles.height = THUMBNAIL_CELLS[1]
        self.query_one(".bar").styles.height = THUMBNAIL_CELLS[1]

    def show_cluster(self, cluster: ClusterView | None, is_focused: bool, classes: ClassList) -> None:
        """Show `cluster`, or nothing for None."""
        bar, caption = self.query_one(".bar", TextLine), self.query_one(".caption", TextLine)
        for line in (bar, caption):
            line.set_class(is_focused, "focused")
        bar.set_text("\n".join(("┃" if is_focused else " ") * THUMBNAIL_CELLS[1]))
        text = "" if cluster is None else format_caption(cluster, classes)
        rule = "━" * (CAPTIONED_THUMBNAIL_CELLS[0] - 4 - cell_len(text))
        caption.set_text(Text(f"┗ {text} {rule}" if is_focused else f"  {text}"))
        self.call_later(self.query_one(Picture).show_image, None if cluster is None else cluster.picture)


def format_caption(cluster: ClusterView, classes: ClassList) -> str:
    """Return name and answer of a cluster, with the class name cut to the width of a thumbnail."""
    name, confidence_cells = format_cluster_name(cluster), 3
    max_name_cells = CAPTIONED_THUMBNAIL_CELLS[0] - 4 - len(f"{name} ·") - confidence_cells
    return f"{name} {format_answer(cluster, classes, max(max_name_cells, 1))}"


class ClusterGrid(Container):
    """Pages of cluster thumbnails; the thumbnails are mounted once."""

    DEFAULT_CSS = """
    ClusterGrid { layout: grid; width: 100%; height: 1fr; }
    """

    def __init__(self, columns: int, rows: int) -> None:
        """Create a grid of `columns` times `rows` thumbnails."""
        super().__init__()
        self.clusters_per_row = columns
        """Clusters in a row."""
        self.page_size = columns * rows
        """Clusters on a page."""
        self.styles.grid_size_columns = columns
        self.styles.grid_columns = str(CAPTIONED_THUMBNAIL_CELLS[0])
        self.styles.grid_rows = str(CAPTIONED_THUMBNAIL_CELLS[1])

    def compose(self) -> ComposeResult:
        """Mount the thumbnails."""
        for _ in range(self.page_size):
            yield ClusterThumbnail()

    def show_clusters(self, clusters: Sequence[ClusterView], focus_index: int, classes: ClassList) -> None:
        """Show the page that contains the cluster at `focus_index`."""
        start, end = compute_page_bounds(focus_index, len(clusters), self.page_size)
        for index, thumbnail in enumerate(self.query(ClusterThumbnail), start=start):
            thumbnail.show_cluster(clusters[index] if index < end else None, index == focus_index, classes)

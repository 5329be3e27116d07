"""A large picture in a heavy frame with text in its upper and lower side."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from vaetui.engine.classes import ClassList
from vaetui.engine.clusters import Pixels
from vaetui.session.views import ClusterView
from vaetui.tui.presenters.cluster_text import format_cluster_name, format_training_weight
from vaetui.tui.widgets.picture import Picture
from vaetui.tui.widgets.text_line import TextLine


class FramedImage(Vertical):
    """A picture framed by separate lines, so that a new text repaints one line and not the picture."""

    DEFAULT_CSS = """
    FramedImage { width: auto; height: auto; }
    FramedImage TextLine { height: 1; color: $primary; text-style: bold; }
    FramedImage Horizontal { width: auto; height: auto; }
    FramedImage .side { width: 1; height: 100%; }
    """

    def __init__(self, cells: tuple[int, int]) -> None:
        """Create a frame around a picture of `cells` (columns, rows)."""
        super().__init__()
        self._cells = cells
        self.styles.width = cells[0] + 2
        self.styles.height = cells[1] + 2

    def compose(self) -> ComposeResult:
        """Mount the frame and the picture."""
        yield TextLine(id="above")
        with Horizontal():
            yield TextLine(classes="side")
            yield Picture(self._cells)
            yield TextLine(classes="side")
        yield TextLine(id="below")

    def on_mount(self) -> None:
        """Draw the left and the right side, which never change."""
        for side in self.query(".side").results(TextLine):
            side.styles.height = self._cells[1]
            side.set_text("\n".join("┃" * self._cells[1]))

    def show_cluster(self, cluster: ClusterView, classes: ClassList) -> None:
        """Show the centre of `cluster`, its name above and the weight of its answer below."""
        weight = format_training_weight(cluster, classes, self._cells[0] - 2)
        self.show_image(f"cluster {format_cluster_name(cluster)}", weight, cluster.picture)

    def show_image(self, top_text: str, bottom_text: str, pixels: Pixels) -> None:
        """Show an image, [H, W] or [H, W, 3], and the texts in the frame."""
        width = self._cells[0]
        for id, text, left, right in (("#above", top_text, "┏", "┓"), ("#below", bottom_text, "┗", "┛")):
            padded_text = f" {text} " if text else ""
            rule = "━" * (width - cell_len(padded_text))
            self.query_one(id, TextLine).set_text(Text(f"{left}{padded_text}{rule}{right}"))
        self.query_one(Picture).show_image(pixels)

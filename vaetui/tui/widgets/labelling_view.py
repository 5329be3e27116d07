"""The images and facts of the labelling screen, between its header and its prompt."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size

from vaetui.engine.classes import ClassList
from vaetui.session.views import ClusterView, RoundView
from vaetui.tui.presenters.cluster_text import format_digit_keys
from vaetui.tui.presenters.layout import LabellingLayout, compute_labelling_layout, compute_page_bounds
from vaetui.tui.widgets.cluster_details import ClusterDetails
from vaetui.tui.widgets.cluster_grid import ClusterGrid
from vaetui.tui.widgets.cluster_list import ClusterList
from vaetui.tui.widgets.framed_image import FramedImage
from vaetui.tui.widgets.member_grid import MemberGrid
from vaetui.tui.widgets.text_line import TextLine

ANSWER_LEGEND = "·3 class  – unreadable  ⟨⟩ split  ? no answer"
PAGE_KEYS_HINT = " · arrows: more"


class LabellingView(Vertical):
    """The focused centre, its members and facts, and below a rule all clusters as thumbnails or as a list.

    The view is hidden until it has data, because Textual paints a new screen three times.
    """

    DEFAULT_CSS = """
    LabellingView { width: 100%; height: 1fr; overflow: hidden; visibility: hidden; }
    LabellingView #rule { height: 1; padding: 0 1; color: $foreground 60%; }
    """

    _labelling_layout: LabellingLayout
    _width: int

    @property
    def clusters_per_row(self) -> int:
        """Clusters in a row."""
        return self._find_overview().clusters_per_row

    def compose(self) -> ComposeResult:
        """Mount all parts for the current size of the terminal."""
        self._width, height = self.app.size
        layout = self._labelling_layout = compute_labelling_layout(self._width, height)
        with Horizontal() as top:
            top.styles.height = layout.centre_cells[1] + 2
            yield FramedImage(layout.centre_cells)
            yield MemberGrid(*layout.member_grid)
            if layout.panel_cells:
                yield ClusterDetails(layout.panel_cells)
        if not layout.panel_cells:
            yield ClusterDetails()
        yield TextLine(id="rule")
        yield ClusterGrid(*layout.cluster_grid) if layout.cluster_grid else ClusterList(self._width, layout.list_rows)

    async def update_layout(self, size: Size) -> bool:
        """Mount all parts again if `size` requires another layout, and return whether it did."""
        if compute_labelling_layout(*size) == self._labelling_layout and size.width == self._width:
            return False
        await self.recompose()
        return True

    @property
    def page_size(self) -> int:
        """Clusters on a page."""
        return self._find_overview().page_size

    def show_round(
        self,
        round_view: RoundView,
        visible_clusters: Sequence[ClusterView],
        focus_index: int,
        classes: ClassList,
        arrangement_text: str = "",
    ) -> None:
        """Show clusters of the round, the one at `focus_index` focused; unchanged parts are not repainted.

        `visible_clusters` are the clusters to list, sorted and filtered as `arrangement_text` says.
        """
        self.styles.visibility = "visible"
        cluster, overview = visible_clusters[focus_index], self._find_overview()
        overview.show_clusters(visible_clusters, focus_index, classes)
        self.query_one(FramedImage).show_cluster(cluster, classes)
        self.query_one(ClusterDetails).show_cluster(cluster, classes)
        self.query_one("#rule", TextLine).set_text(
            self._format_rule(round_view, len(visible_clusters), focus_index, classes, arrangement_text)
        )

    def _format_rule(
        self, round_view: RoundView, count: int, focus_index: int, classes: ClassList, arrangement_text: str
    ) -> Text:
        """Return the rule with page and arrangement at the left and the legend of digits or answers at the right."""
        page_size = self.page_size
        start, end = compute_page_bounds(focus_index, count, page_size)
        page = f" {start + 1}-{end} of {count}{PAGE_KEYS_HINT} " if count > page_size else ""
        if arrangement_text:
            page = f" {arrangement_text}{page and f' · {page.strip()}'} "
        if len(page) + cell_len(format_digit_keys(classes, round_view.digit_keys)) + 8 > self._width:
            page = page.replace(PAGE_KEYS_HINT, "")
        digits = format_digit_keys(classes, round_view.digit_keys, self._width - len(page) - 8)
        legend = f" {digits or ANSWER_LEGEND} " if digits or self._width >= 80 else ""
        line_width = max(self._width - cell_len(legend) - 4, 0)
        return Text(f"──{page:─<{line_width}}{legend}")

    def _find_overview(self) -> ClusterGrid | ClusterList:
        return self.query_one(ClusterGrid) if self._labelling_layout.cluster_grid else self.query_one(ClusterList)

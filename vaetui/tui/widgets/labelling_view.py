"""The images and facts of the labelling screen, between its header and its prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size

from vaetui.engine.answers import ClusterPath, NearestImageAnswer
from vaetui.engine.classes import ClassList
from vaetui.engine.clusters import Pixels
from vaetui.session.views import ClusterView, MemberOrder, RoundView
from vaetui.tui.presenters.cluster_text import (
    NEAREST_IMAGE_HEADING,
    format_cluster_name,
    format_mean_heading,
    format_training_weight,
    wrap_digit_keys,
)
from vaetui.tui.presenters.layout import (
    MIN_TILE_ROWS,
    PIXEL_SIZE,
    LabellingLayout,
    compute_labelling_layout,
    compute_page_bounds,
)
from vaetui.tui.widgets.cluster_details import ClusterDetails
from vaetui.tui.widgets.cluster_grid import ClusterGrid
from vaetui.tui.widgets.cluster_list import ClusterList
from vaetui.tui.widgets.framed_image import FramedImage
from vaetui.tui.widgets.member_grid import MemberGrid
from vaetui.tui.widgets.text_line import TextLine

ANSWER_LEGEND = "■ class  – unreadable  ⟨⟩ split  ? no answer"
LEGEND_WITH_NEAREST = ANSWER_LEGEND.replace("  –", "  □ nearest image  –", 1)
"""The legend while an answer is about the nearest image of a cluster alone."""
PAGE_KEYS_HINT = " · arrows: more"
RULE_MARGIN_CELLS = 8
"""Cells of the rule that are neither the page nor the legend."""
MAX_LEGEND_ROWS = 2
"""Rows of the names of the digit keys below the rule, where they do not fit into it."""
MIN_LIST_ROWS = 2
"""Rows of the list of clusters that the legend never takes; thumbnails have `layout.MIN_TILE_ROWS`."""


class LabellingView(Vertical):
    """The focused centre, its members and facts, and below a rule all clusters as thumbnails or as a list.

    The view is hidden until it has data, because Textual paints a new screen three times.
    """

    DEFAULT_CSS = """
    LabellingView { width: 100%; height: 1fr; overflow: hidden; visibility: hidden; }
    LabellingView #rule { height: 1; padding: 0 1; color: $foreground 60%; }
    LabellingView #digits { height: 0; padding: 0 1; color: $foreground 60%; }
    """

    def __init__(self, pixel_size: tuple[int, int] = PIXEL_SIZE, shows_nearest_images: bool = False) -> None:
        """Create a view of images of `pixel_size` (width, height).

        With `shows_nearest_images`, the pictures of clusters are their nearest images and not decoded centres.
        """
        super().__init__()
        self._shows_nearest_images = shows_nearest_images
        self._pixel_size = pixel_size
        self._cluster: ClusterView | None = None
        self._shown_order: MemberOrder | None = None  # None until the images are loaded
        self._paged_count: int | None = None  # the number of clusters that was found to need pages

    _labelling_layout: LabellingLayout
    _width: int

    @property
    def clusters_per_row(self) -> int:
        """Clusters in a row."""
        return self._find_overview().clusters_per_row

    @property
    def page_size(self) -> int:
        """Clusters on a page."""
        return self._find_overview().page_size

    @property
    def member_capacity(self) -> int:
        """The number of members that fit."""
        return self._labelling_layout.member_grid.capacity

    def compose(self) -> ComposeResult:
        """Mount all parts for the current size of the terminal."""
        self._width, height = self.app.size
        layout = self._labelling_layout = compute_labelling_layout(self._width, height, self._pixel_size)
        self._paged_count = None
        with Horizontal() as top:
            top.styles.height = layout.centre_cells[1] + 2
            yield FramedImage(layout.centre_cells)
            yield MemberGrid(layout.member_grid)
            if layout.panel_cells:
                yield ClusterDetails(layout.panel_cells)
        if not layout.panel_cells:
            yield ClusterDetails()
        yield TextLine(id="rule")
        yield TextLine(id="digits")
        yield (ClusterGrid if layout.has_thumbnails else ClusterList)(self._width, layout.list_rows)

    async def update_layout(self, size: Size) -> bool:
        """Mount all parts again if `size` requires another layout, and return whether it did."""
        layout = compute_labelling_layout(*size, self._pixel_size)
        if layout == self._labelling_layout and size.width == self._width:
            return False
        await self.recompose()
        return True

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
        self._cluster = cluster = visible_clusters[focus_index]
        rule_legend, *legend_rows = self._wrap_legend(round_view, len(visible_clusters), classes, arrangement_text)
        self._show_overview(visible_clusters, focus_index, classes, len(legend_rows))
        if len(visible_clusters) > self.page_size and self._paged_count != len(visible_clusters):
            self._paged_count = len(visible_clusters)  # the rule needs room for the page from now on
            rule_legend, *legend_rows = self._wrap_legend(round_view, len(visible_clusters), classes, arrangement_text)
            self._show_overview(visible_clusters, focus_index, classes, len(legend_rows))
        frame, width = self.query_one(FramedImage), self._labelling_layout.centre_cells[0]
        frame.show_texts(self._format_title(cluster), format_training_weight(cluster, classes, width - 2))
        if not is_colour(cluster.picture) or self._shows_nearest_images:
            frame.draw_image(0, cluster.picture)
        self.query_one(ClusterDetails).show_cluster(cluster, classes)
        rule, digits = self.query_one("#rule", TextLine), self.query_one("#digits", TextLine)
        rule.set_text(self._format_rule(rule_legend, visible_clusters, focus_index, arrangement_text))
        if digits.styles.height is None or digits.styles.height.value != len(legend_rows):
            digits.styles.height = len(legend_rows)
        digits.set_text("\n".join(legend_rows))

    def _show_overview(
        self, clusters: Sequence[ClusterView], focus_index: int, classes: ClassList, legend_row_count: int
    ) -> None:
        overview = self._find_overview()
        overview.set_row_count(self._labelling_layout.list_rows - legend_row_count)
        overview.show_clusters(clusters, focus_index, classes)

    def show_members(
        self,
        order: MemberOrder,
        pixels: Pixels,
        read_members: Callable[[ClusterPath, MemberOrder, int], Pixels] | None = None,
    ) -> None:
        """Show members of the focused cluster, [N, H, W] or [N, H, W, 3]; N is 0 until the images are loaded.

        Of colour images, whose decoded centres are blurred, the first member is the large picture, and the centre
        stands beside it; the thumbnails show the nearest members that `read_members` returns. Without decoded centres,
        the large picture is the nearest image, and the mean of the nearest ones stands beside it.
        """
        assert self._cluster is not None
        grid, frame, centre = self.query_one(MemberGrid), self.query_one(FramedImage), self._cluster.picture
        self._shown_order = order if len(pixels) else None
        if self._shows_nearest_images:
            others = pixels[1:] if order == "nearest" else pixels  # the nearest one is the large picture
            grid.show_members(order, others, self._cluster.mean_picture, format_mean_heading(self._cluster.size))
            return
        if not is_colour(centre):
            grid.show_members(order, pixels)
            return
        frame.show_top_text(self._format_title(self._cluster))
        frame.draw_image(0, pixels[0] if len(pixels) else centre)
        grid.show_members(order, pixels[1:], centre if len(pixels) else None)
        if read_members is not None and len(pixels) and self._labelling_layout.has_thumbnails:
            self.query_one(ClusterGrid).show_nearest_members(lambda path: read_members(path, "nearest", 1))

    def _format_title(self, cluster: ClusterView) -> str:
        """Return the name of the cluster, with the kind of the large picture if it is not the decoded centre."""
        title = name = f"cluster {format_cluster_name(cluster)}"
        if self._shows_nearest_images:
            title = f"{name} · {NEAREST_IMAGE_HEADING}"
            if cell_len(title) > self._labelling_layout.centre_cells[0] - 2:
                title = title.removeprefix("cluster ")
        elif is_colour(cluster.picture) and self._shown_order is not None:
            title = f"{name} · {self._shown_order} member"
        return title if cell_len(title) <= self._labelling_layout.centre_cells[0] - 2 else name

    def _wrap_legend(
        self, round_view: RoundView, cluster_count: int, classes: ClassList, arrangement_text: str
    ) -> list[str]:
        """Return the names of the digit keys: the part in the rule, and rows below it where names need the room."""
        layout = self._labelling_layout
        spare_rows = layout.list_rows - (MIN_TILE_ROWS if layout.has_thumbnails else MIN_LIST_ROWS)
        is_paged = cluster_count == self._paged_count
        page = f" {cluster_count}-{cluster_count} of {cluster_count} " if is_paged else ""
        arrangement = f" {arrangement_text} ·" if arrangement_text else ""
        rule_cells = self._width - len(arrangement + page) - RULE_MARGIN_CELLS
        row_cells = [rule_cells, *[self._width - 2] * min(max(spare_rows, 0), MAX_LEGEND_ROWS)]
        return wrap_digit_keys(classes, round_view.digit_keys, row_cells)

    def _format_rule(
        self, legend: str, clusters: Sequence[ClusterView], focus_index: int, arrangement_text: str
    ) -> Text:
        """Return the rule with page and arrangement at the left and the legend of digits or answers at the right."""
        count = len(clusters)
        has_nearest = any(isinstance(cluster.answer, NearestImageAnswer) for cluster in clusters)
        answer_legend = LEGEND_WITH_NEAREST if has_nearest else ANSWER_LEGEND
        page_size = self.page_size
        start, end = compute_page_bounds(focus_index, count, page_size)
        page = f" {start + 1}-{end} of {count}{PAGE_KEYS_HINT} " if count > page_size else ""
        if arrangement_text:
            page = f" {arrangement_text}{page and f' · {page.strip()}'} "
        legend = legend or ("" if self._width < 80 else answer_legend)
        if len(page) + cell_len(legend) + RULE_MARGIN_CELLS > self._width:
            page = page.replace(PAGE_KEYS_HINT, "")
        legend = legend and f" {legend} "
        line_width = max(self._width - cell_len(legend) - 4, 0)
        return Text(f"──{page:─<{line_width}}{legend}")

    def _find_overview(self) -> ClusterGrid | ClusterList:
        return self.query_one(ClusterGrid) if self._labelling_layout.has_thumbnails else self.query_one(ClusterList)


def is_colour(pixels: Pixels) -> bool:
    """Return whether an image, [H, W] or [H, W, 3], has colours."""
    return pixels.ndim == 3

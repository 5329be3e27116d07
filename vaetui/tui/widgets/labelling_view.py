"""Everything between the header and the prompt, laid out for the terminal's size; it knows no key and no session."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size

from vaetui.engine.classes import ClassList
from vaetui.engine.clusters import Pixels
from vaetui.session.views import MemberOrder, RoundView
from vaetui.tui.presenters.cluster_text import format_digit_keys
from vaetui.tui.presenters.layout import LabellingLayout, compute_labelling_layout, compute_page_bounds
from vaetui.tui.widgets.cluster_facts import ClusterFacts
from vaetui.tui.widgets.cluster_grid import ClusterGrid
from vaetui.tui.widgets.cluster_list import ClusterList
from vaetui.tui.widgets.framed_image import FramedImage
from vaetui.tui.widgets.member_grid import MemberGrid
from vaetui.tui.widgets.text_line import TextLine

ANSWER_LEGEND = "·3 class  – unreadable  ⟨⟩ split  ? open"


class LabellingView(Vertical):
    """The focused centre, its members and facts, and below a rule all tiles as thumbnails or as words.

    It is hidden until it has something to show: a screen that starts is sent three times by Textual.
    """

    DEFAULT_CSS = """
    LabellingView { width: 100%; height: 1fr; overflow: hidden; visibility: hidden; }
    LabellingView #rule { height: 1; padding: 0 1; color: $foreground 60%; }
    """

    _labelling_layout: LabellingLayout
    _width: int

    @property
    def columns(self) -> int:
        """Tell how many tiles lie in a row."""
        return self._find_overview().columns

    @property
    def member_capacity(self) -> int:
        """Tell how many members there is room for."""
        return self._labelling_layout.member_grid[0] * self._labelling_layout.member_grid[1]

    def compose(self) -> ComposeResult:
        """Mount everything once, for the size that the terminal has."""
        self._width, height = self.app.size
        fits = self._labelling_layout = compute_labelling_layout(self._width, height)
        with Horizontal() as top:
            top.styles.height = fits.centre_cells[1] + 2
            yield FramedImage(fits.centre_cells)
            yield MemberGrid(*fits.member_grid)
            if fits.panel_cells:
                yield ClusterFacts(fits.panel_cells)
        if not fits.panel_cells:
            yield ClusterFacts()
        yield TextLine(id="rule")
        yield ClusterGrid(*fits.cluster_grid) if fits.cluster_grid else ClusterList(self._width, fits.list_rows)

    async def relayout(self, size: Size) -> bool:
        """Mount everything anew where another size wants it, and tell whether it did."""
        if compute_labelling_layout(*size) == self._labelling_layout and size.width == self._width:
            return False
        await self.recompose()
        return True

    def show(self, round_view: RoundView, focus_index: int, classes: ClassList) -> None:
        """Show the round with the focus on that place; what did not change is not painted again."""
        self.styles.visibility = "visible"
        tile, tiles = round_view.clusters[focus_index], self._find_overview()
        tiles.show(round_view.clusters, focus_index)
        self.query_one(FramedImage).show(tile)
        self.query_one(ClusterFacts).show(tile, classes)
        count, room = len(round_view.clusters), tiles.page_size
        first, last = compute_page_bounds(focus_index, count, room)
        pages = f" {first + 1}-{last} of {count}, the arrows turn the page " if count > room else ""
        if len(pages) + cell_len(format_digit_keys(classes, round_view.digit_keys)) + 8 > self._width:
            pages = pages.replace(", the arrows turn the page", "")
        named = format_digit_keys(classes, round_view.digit_keys, self._width - len(pages) - 8)
        legend = f" {named or ANSWER_LEGEND} " if named or self._width >= 80 else ""
        dashes = max(self._width - cell_len(legend) - 4, 0)
        self.query_one("#rule", TextLine).set_text(Text(f"──{pages:─<{dashes}}{legend}"))

    def show_members(self, order: MemberOrder, pixels: Pixels) -> None:
        """Show these members of the focused cluster."""
        self.query_one(MemberGrid).show(order, pixels)

    def _find_overview(self) -> ClusterGrid | ClusterList:
        return self.query_one(ClusterGrid) if self._labelling_layout.cluster_grid else self.query_one(ClusterList)

"""Everything between the header and the prompt, laid out for the terminal's size; it knows no key and no session."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size

from vaetui.engine.classes import Classes
from vaetui.engine.clusters import Pixels
from vaetui.session.views import Board, Which
from vaetui.tui.presenters.cluster_text import keyed
from vaetui.tui.presenters.layout import Plan, page, plan
from vaetui.tui.widgets.cluster_facts import Particulars
from vaetui.tui.widgets.cluster_grid import Gallery
from vaetui.tui.widgets.cluster_list import Roster
from vaetui.tui.widgets.framed_image import Focused
from vaetui.tui.widgets.members import Members
from vaetui.tui.widgets.text_line import Line

LEGEND = "·3 class  – unreadable  ⟨⟩ split  ? open"


class Table(Vertical):
    """The focused centre, its members and facts, and below a rule all tiles as thumbnails or as words.

    It is hidden until it has something to show: a screen that starts is sent three times by Textual.
    """

    DEFAULT_CSS = """
    Table { width: 100%; height: 1fr; overflow: hidden; visibility: hidden; }
    Table #rule { height: 1; padding: 0 1; color: $foreground 60%; }
    """

    _plan: Plan
    _width: int

    @property
    def columns(self) -> int:
        """Tell how many tiles lie in a row."""
        return self._tiles().columns

    @property
    def members(self) -> int:
        """Tell how many members there is room for."""
        return self._plan.members[0] * self._plan.members[1]

    def compose(self) -> ComposeResult:
        """Mount everything once, for the size that the terminal has."""
        self._width, height = self.app.size
        fits = self._plan = plan(self._width, height)
        with Horizontal() as top:
            top.styles.height = fits.centre[1] + 2
            yield Focused(fits.centre)
            yield Members(*fits.members)
            if fits.panel:
                yield Particulars(fits.panel)
        if not fits.panel:
            yield Particulars()
        yield Line(id="rule")
        yield Gallery(*fits.gallery) if fits.gallery else Roster(self._width, fits.rows)

    async def suit(self, size: Size) -> bool:
        """Mount everything anew where another size wants it, and tell whether it did."""
        if plan(*size) == self._plan and size.width == self._width:
            return False
        await self.recompose()
        return True

    def show(self, board: Board, at: int, classes: Classes) -> None:
        """Show the round with the focus on that place; what did not change is not painted again."""
        self.styles.visibility = "visible"
        tile, tiles = board.tiles[at], self._tiles()
        tiles.show(board.tiles, at)
        self.query_one(Focused).show(tile)
        self.query_one(Particulars).show(tile, classes)
        count, room = len(board.tiles), tiles.room
        first, last = page(at, count, room)
        pages = f" {first + 1}-{last} of {count}, the arrows turn the page " if count > room else ""
        if len(pages) + cell_len(keyed(classes, board.favourites)) + 8 > self._width:
            pages = pages.replace(", the arrows turn the page", "")
        named = keyed(classes, board.favourites, self._width - len(pages) - 8)
        legend = f" {named or LEGEND} " if named or self._width >= 80 else ""
        dashes = max(self._width - cell_len(legend) - 4, 0)
        self.query_one("#rule", Line).say(Text(f"──{pages:─<{dashes}}{legend}"))

    def show_members(self, which: Which, pixels: Pixels) -> None:
        """Show these members of the focused cluster."""
        self.query_one(Members).show(which, pixels)

    def _tiles(self) -> Gallery | Roster:
        return self.query_one(Gallery) if self._plan.gallery else self.query_one(Roster)

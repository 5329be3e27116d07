"""The picture that is read, between those read before and those that follow; it knows no key and no truth."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Size

from vaetui.session.views import Sheet
from vaetui.tui.presenters.layout import THUMB, Spread, spread
from vaetui.tui.widgets.captioned_images import Glances
from vaetui.tui.widgets.framed_image import Focused


class Lectern(Horizontal):
    """The pictures of a reading test, laid out for the terminal's size."""

    DEFAULT_CSS = """
    Lectern { width: 100%; height: 1fr; align: center middle; overflow: hidden; }
    """

    _spread: Spread

    def compose(self) -> ComposeResult:
        """Mount everything once, for the size that the terminal has."""
        fits = self._spread = spread(*self.app.size)
        yield Glances("read", *fits.before, id="before")
        yield Focused(fits.centre)
        yield Glances("to follow", *fits.after, id="after")

    async def suit(self, size: Size) -> None:
        """Mount everything anew where another size wants it."""
        if spread(*size) != self._spread:
            await self.recompose()

    def show(self, sheet: Sheet, classes: Sequence[str]) -> None:
        """Show the first picture that is not yet read, unless all are."""
        place, total = len(sheet.read), len(sheet.pictures)
        if place >= total:
            return
        self.query_one(Focused).frame(f"picture {place + 1}", "", sheet.pictures[place])
        before, after = self.query_one("#before", Glances), self.query_one("#after", Glances)
        # The latest is always the last: what was read before it moves up.
        places = range(place - before.count, place)
        before.show(
            [sheet.pictures[at] if at >= 0 else None for at in places],
            [word_of(sheet.read[at], classes) if at >= 0 else "" for at in places],
        )
        places = range(place + 1, place + 1 + after.count)
        after.show([sheet.pictures[at] if at < total else None for at in places], [""] * after.count)


def word_of(seen: int | None, classes: Sequence[str]) -> str:
    """Write what was read in a picture, under which it must fit: ·3 a class, – unreadable."""
    return "–" if seen is None else f"·{classes[seen]}"[: THUMB[0]]

"""Held-out images and how the network remembers them; it does not know when they change."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.widgets import Static

from vaetui.engine.clusters import Pixels
from vaetui.engine.events import Reconstructed
from vaetui.tui.widgets.picture import Picture

MOST = 10
"""Pictures in a row, however wide the screen is."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How the pictures of a strip lie."""

    cells: tuple[int, int]
    """Width and height of a picture; under 12x6 no digit is to be recognised."""
    count: int
    """Images."""
    stacked: bool
    """Whether the reconstructions lie under the images; else each stands at the right of its image."""


def arrangement(size: Size) -> Arrangement:
    """Choose what fits a screen of that size and leaves room for the curves above."""
    if size.height < 24:
        return Arrangement((12, 6), max(min((size.width - 1) // 26, MOST), 1), False)
    cells = (12, 6)
    if size.height >= 52 and size.width >= 120:
        cells = (20, 10)
    elif size.height >= 34 and size.width >= 90:
        cells = (14, 7)
    return Arrangement(cells, max(min((size.width - 15) // (cells[0] + 1), MOST), 1), True)


class Strip(Vertical):
    """Two rows of pictures, or one of pairs where the screen is low."""

    DEFAULT_CSS = """
    Strip { height: auto; padding: 0 1; }
    Strip > Horizontal { height: auto; }
    Strip Picture { margin-right: 1; }
    Strip .caption { width: 13; height: auto; padding-right: 1; color: $foreground 70%; }
    """

    def __init__(self, id: str | None = None) -> None:
        """Begin without pictures."""
        super().__init__(id=id)
        self._chosen: Arrangement | None = None
        self._last: Reconstructed | None = None

    def compose(self) -> ComposeResult:
        """Mount the pictures once, for the size that the screen has."""
        chosen = self._chosen = self._chosen or arrangement(self.app.size)
        pictures = range(chosen.count)
        if chosen.stacked:
            with Horizontal():
                yield Static("seen", classes="caption", markup=False)
                for _ in pictures:
                    yield Picture(chosen.cells, classes="seen")
            with Horizontal():
                yield Static("as the\nnetwork\nremembers\nit", classes="caption", markup=False)
                for _ in pictures:
                    yield Picture(chosen.cells, classes="remembered")
        else:
            with Horizontal():
                for _ in pictures:
                    yield Picture(chosen.cells, classes="seen")
                    yield Picture(chosen.cells, classes="remembered")

    async def suit(self, size: Size) -> None:
        """Lay the pictures out anew where a screen of that size wants it."""
        chosen = arrangement(size)
        if chosen != self._chosen:
            self._chosen = chosen
            await self.recompose()
            if self._last is not None:
                self.show(self._last)

    def show(self, event: Reconstructed) -> None:
        """Show as many of these images as there is room for."""
        self._last = event
        for name, pixels in (("seen", event.originals), ("remembered", event.reconstructions)):
            self._fill(name, pixels)

    def _fill(self, name: str, pixels: Pixels) -> None:
        for picture, image in zip(self.query(f".{name}").results(Picture), pixels, strict=False):
            # One a turn of the loop: a key that comes meanwhile is answered between two pictures.
            self.call_later(picture.show, image)

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

MAX_IMAGES = 10
"""Pictures in a row, however wide the screen is."""


@dataclass(frozen=True, slots=True)
class ReconstructionLayout:
    """How the pictures of a strip lie."""

    cells: tuple[int, int]
    """Width and height of a picture; under 12x6 no digit is to be recognised."""
    image_count: int
    """Images."""
    is_stacked: bool
    """Whether the reconstructions lie under the images; else each stands at the right of its image."""


def choose_reconstruction_layout(size: Size) -> ReconstructionLayout:
    """Choose what fits a screen of that size and leaves room for the curves above."""
    if size.height < 24:
        return ReconstructionLayout((12, 6), max(min((size.width - 1) // 26, MAX_IMAGES), 1), False)
    cells = (12, 6)
    if size.height >= 52 and size.width >= 120:
        cells = (20, 10)
    elif size.height >= 34 and size.width >= 90:
        cells = (14, 7)
    return ReconstructionLayout(cells, max(min((size.width - 15) // (cells[0] + 1), MAX_IMAGES), 1), True)


class ReconstructionGrid(Vertical):
    """Two rows of pictures, or one of pairs where the screen is low."""

    DEFAULT_CSS = """
    ReconstructionGrid { height: auto; padding: 0 1; }
    ReconstructionGrid > Horizontal { height: auto; }
    ReconstructionGrid Picture { margin-right: 1; }
    ReconstructionGrid .caption { width: 13; height: auto; padding-right: 1; color: $foreground 70%; }
    """

    def __init__(self, id: str | None = None) -> None:
        """Begin without pictures."""
        super().__init__(id=id)
        self._reconstruction_layout: ReconstructionLayout | None = None
        self._last_event: Reconstructed | None = None

    def compose(self) -> ComposeResult:
        """Mount the pictures once, for the size that the screen has."""
        chosen = self._reconstruction_layout = self._reconstruction_layout or choose_reconstruction_layout(
            self.app.size
        )
        pictures = range(chosen.image_count)
        if chosen.is_stacked:
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

    async def relayout(self, size: Size) -> None:
        """Lay the pictures out anew where a screen of that size wants it."""
        chosen = choose_reconstruction_layout(size)
        if chosen != self._reconstruction_layout:
            self._reconstruction_layout = chosen
            await self.recompose()
            if self._last_event is not None:
                self.show(self._last_event)

    def show(self, event: Reconstructed) -> None:
        """Show as many of these images as there is room for."""
        self._last_event = event
        for name, pixels in (("seen", event.originals), ("remembered", event.reconstructions)):
            self._show_images(name, pixels)

    def _show_images(self, css_class: str, pixels: Pixels) -> None:
        for picture, image in zip(self.query(f".{css_class}").results(Picture), pixels, strict=False):
            # One a turn of the loop: a key that comes meanwhile is answered between two pictures.
            self.call_later(picture.show, image)

"""Validation images and their reconstructions."""

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
"""Maximum number of images in a row."""


@dataclass(frozen=True, slots=True)
class ReconstructionLayout:
    """Number, size and arrangement of the images."""

    cells: tuple[int, int]
    """Columns and rows of an image; digits smaller than 12x6 are unreadable."""
    image_count: int
    """Number of images, each with its reconstruction."""
    is_stacked: bool
    """Whether the reconstructions lie below the images instead of beside them."""


def choose_reconstruction_layout(size: Size) -> ReconstructionLayout:
    """Return the layout for a terminal of `size` that leaves enough rows for the plots above."""
    if size.height < 24:
        return ReconstructionLayout((12, 6), max(min((size.width - 1) // 26, MAX_IMAGES), 1), False)
    cells = (12, 6)
    if size.height >= 52 and size.width >= 120:
        cells = (20, 10)
    elif size.height >= 34 and size.width >= 90:
        cells = (14, 7)
    return ReconstructionLayout(cells, max(min((size.width - 15) // (cells[0] + 1), MAX_IMAGES), 1), True)


class ReconstructionGrid(Vertical):
    """A row of images above a row of reconstructions, or one row of pairs on low terminals."""

    DEFAULT_CSS = """
    ReconstructionGrid { height: auto; padding: 0 1; }
    ReconstructionGrid > Horizontal { height: auto; }
    ReconstructionGrid Picture { margin-right: 1; }
    ReconstructionGrid .caption { width: 13; height: auto; padding-right: 1; color: $foreground 70%; }
    """

    _reconstruction_layout: ReconstructionLayout | None = None
    _last_event: Reconstructed | None = None

    def compose(self) -> ComposeResult:
        """Mount the pictures for the current size of the terminal."""
        layout = self._reconstruction_layout = choose_reconstruction_layout(self.app.size)
        if layout.is_stacked:
            for caption, css_class in (("original", "original"), ("recon-\nstruction", "reconstruction")):
                with Horizontal():
                    yield Static(caption, classes="caption", markup=False)
                    for _ in range(layout.image_count):
                        yield Picture(layout.cells, classes=css_class)
        else:
            with Horizontal():
                for _ in range(layout.image_count):
                    yield Picture(layout.cells, classes="original")
                    yield Picture(layout.cells, classes="reconstruction")

    async def update_layout(self, size: Size) -> None:
        """Mount the pictures again if `size` requires another layout."""
        if choose_reconstruction_layout(size) != self._reconstruction_layout:
            await self.recompose()
            if self._last_event is not None:
                self.show_reconstructions(self._last_event)

    def show_reconstructions(self, event: Reconstructed) -> None:
        """Show as many images of `event` as fit."""
        self._last_event = event
        self._show_images("original", event.originals)
        self._show_images("reconstruction", event.reconstructions)

    def _show_images(self, css_class: str, images: Pixels) -> None:
        for picture, image in zip(self.query(f".{css_class}").results(Picture), images, strict=False):
            # One picture per turn of the event loop: keys are handled between two pictures.
            self.call_later(picture.show_image, image)

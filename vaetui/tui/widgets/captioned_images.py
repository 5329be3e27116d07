"""A grid of small images, each with a caption below it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical

from vaetui.engine.clusters import Pixels
from vaetui.tui.presenters.layout import THUMBNAIL_CELLS
from vaetui.tui.widgets.picture import Picture
from vaetui.tui.widgets.text_line import TextLine


class CaptionedImage(Vertical):
    """One thumbnail above its caption."""

    DEFAULT_CSS = """
    CaptionedImage { height: auto; }
    CaptionedImage TextLine { width: 100%; height: 1; }
    """

    def compose(self) -> ComposeResult:
        """Mount the picture and the caption."""
        yield Picture(THUMBNAIL_CELLS)
        yield TextLine()

    def show_image(self, pixels: Pixels | None, caption: str) -> None:
        """Show the image, [H, W] or [H, W, 3], or black for None."""
        self.query_one(TextLine).set_text(Text(f"{caption:^{THUMBNAIL_CELLS[0]}}"))
        # One picture per turn of the event loop: keys are handled between two pictures.
        self.call_later(self.query_one(Picture).show_image, pixels)


class CaptionedImages(Vertical):
    """A heading above a grid of captioned thumbnails."""

    DEFAULT_CSS = """
    CaptionedImages { width: auto; height: auto; padding: 0 1; }
    CaptionedImages > TextLine { height: 1; text-style: bold; }
    CaptionedImages Container { layout: grid; grid-gutter: 0 1; width: auto; height: auto; }
    """

    def __init__(self, heading: str, columns: int, rows: int, *, id: str) -> None:
        """Create a grid of `columns` times `rows` thumbnails."""
        super().__init__(id=id)
        self.capacity = columns * rows
        """The number of images that fit."""
        self._heading, self._columns = heading, columns
        self.styles.width = columns * (THUMBNAIL_CELLS[0] + 1) + 1

    def compose(self) -> ComposeResult:
        """Mount the heading and all thumbnails."""
        yield TextLine()
        with Container() as grid:
            grid.styles.grid_size_columns = self._columns
            grid.styles.grid_columns = str(THUMBNAIL_CELLS[0])
            grid.styles.grid_rows = str(THUMBNAIL_CELLS[1] + 1)
            for _ in range(self.capacity):
                yield CaptionedImage()

    def on_mount(self) -> None:
        """Write the heading."""
        self.query_one(TextLine).set_text(self._heading)

    def show_images(self, images: Sequence[Pixels | None], captions: Sequence[str]) -> None:
        """Show exactly `capacity` images with their captions."""
        for thumbnail, image, caption in zip(self.query(CaptionedImage), images, captions, strict=True):
            thumbnail.show_image(image, caption)

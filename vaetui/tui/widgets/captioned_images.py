"""Small pictures with a word below each; it does not know which of them are shown, and why."""

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
    """One picture and its word."""

    DEFAULT_CSS = """
    CaptionedImage { height: auto; }
    CaptionedImage TextLine { width: 100%; height: 1; }
    """

    def compose(self) -> ComposeResult:
        """Mount the two."""
        yield Picture(THUMBNAIL_CELLS)
        yield TextLine()

    def show(self, pixels: Pixels | None, caption: str) -> None:
        """Show that picture, [H, W], or nothing."""
        self.query_one(TextLine).set_text(Text(f"{caption:^{THUMBNAIL_CELLS[0]}}"))
        # One a turn of the loop: a key that comes meanwhile is answered between two pictures.
        self.call_later(self.query_one(Picture).show, pixels)


class CaptionedImages(Vertical):
    """A title and a few pictures, mounted once."""

    DEFAULT_CSS = """
    CaptionedImages { width: auto; height: auto; padding: 0 1; }
    CaptionedImages > TextLine { height: 1; text-style: bold; }
    CaptionedImages Container { layout: grid; grid-gutter: 0 1; width: auto; height: auto; }
    """

    def __init__(self, heading: str, columns: int, rows: int, *, id: str) -> None:
        """Take this many pictures across and down."""
        super().__init__(id=id)
        self.capacity = columns * rows
        """How many pictures there is room for."""
        self._heading, self._columns = heading, columns
        self.styles.width = columns * (THUMBNAIL_CELLS[0] + 1) + 1

    def compose(self) -> ComposeResult:
        """Mount the pictures."""
        yield TextLine()
        with Container() as grid:
            grid.styles.grid_size_columns = self._columns
            grid.styles.grid_columns = str(THUMBNAIL_CELLS[0])
            grid.styles.grid_rows = str(THUMBNAIL_CELLS[1] + 1)
            for _ in range(self.capacity):
                yield CaptionedImage()

    def on_mount(self) -> None:
        """Write the title, which stays."""
        self.query_one(TextLine).set_text(self._heading)

    def show(self, images: Sequence[Pixels | None], captions: Sequence[str]) -> None:
        """Show these pictures with their words, as many as there is room for."""
        for glance, picture, word in zip(self.query(CaptionedImage), images, captions, strict=True):
            glance.show(picture, word)

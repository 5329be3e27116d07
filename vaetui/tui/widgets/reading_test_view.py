"""The picture that is read, between those read before and those that follow; it knows no key and no truth."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Size

from vaetui.session.views import ReadingTest
from vaetui.tui.presenters.layout import THUMBNAIL_CELLS, ReadingLayout, compute_reading_layout
from vaetui.tui.widgets.captioned_images import CaptionedImages
from vaetui.tui.widgets.framed_image import FramedImage


class ReadingTestView(Horizontal):
    """The pictures of a reading test, laid out for the terminal's size."""

    DEFAULT_CSS = """
    ReadingTestView { width: 100%; height: 1fr; align: center middle; overflow: hidden; }
    """

    _reading_layout: ReadingLayout

    def compose(self) -> ComposeResult:
        """Mount everything once, for the size that the terminal has."""
        fits = self._reading_layout = compute_reading_layout(*self.app.size)
        yield CaptionedImages("read", *fits.previous_grid, id="before")
        yield FramedImage(fits.centre_cells)
        yield CaptionedImages("to follow", *fits.next_grid, id="after")

    async def relayout(self, size: Size) -> None:
        """Mount everything anew where another size wants it."""
        if compute_reading_layout(*size) != self._reading_layout:
            await self.recompose()

    def show(self, reading_test: ReadingTest, class_names: Sequence[str]) -> None:
        """Show the first picture that is not yet read, unless all are."""
        place, total = len(reading_test.class_ids), len(reading_test.reconstructions)
        if place >= total:
            return
        self.query_one(FramedImage).show_pixels(f"picture {place + 1}", "", reading_test.reconstructions[place])
        before, after = self.query_one("#before", CaptionedImages), self.query_one("#after", CaptionedImages)
        # The latest is always the last: what was read before it moves up.
        places = range(place - before.capacity, place)
        before.show(
            [reading_test.reconstructions[at] if at >= 0 else None for at in places],
            [format_reading(reading_test.class_ids[at], class_names) if at >= 0 else "" for at in places],
        )
        places = range(place + 1, place + 1 + after.capacity)
        after.show([reading_test.reconstructions[at] if at < total else None for at in places], [""] * after.capacity)


def format_reading(class_id: int | None, class_names: Sequence[str]) -> str:
    """Write what was read in a picture, under which it must fit: ·3 a class, – unreadable."""
    return "–" if class_id is None else f"·{class_names[class_id]}"[: THUMBNAIL_CELLS[0]]

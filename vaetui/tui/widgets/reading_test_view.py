"""The images of the reading test: the current one, those already read, and the next ones."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Size

from vaetui.engine.classes import ClassList
from vaetui.session.views import ReadingTest
from vaetui.tui.presenters.layout import THUMBNAIL_CELLS, ReadingTestLayout, compute_reading_test_layout
from vaetui.tui.presenters.styled_text import Piece, format_class
from vaetui.tui.widgets.captioned_images import CaptionedImages
from vaetui.tui.widgets.framed_image import FramedImage


class ReadingTestView(Horizontal):
    """The images of a reading test, laid out for the terminal's size."""

    DEFAULT_CSS = """
    ReadingTestView { width: 100%; height: 1fr; align: center middle; overflow: hidden; }
    """

    _reading_layout: ReadingTestLayout

    def compose(self) -> ComposeResult:
        """Mount all images for the current size of the terminal."""
        layout = self._reading_layout = compute_reading_test_layout(*self.app.size)
        yield CaptionedImages("read", *layout.previous_grid, id="previous")
        yield FramedImage(layout.centre_cells)
        yield CaptionedImages("next", *layout.next_grid, id="next")

    async def update_layout(self, size: Size) -> None:
        """Mount all images again if `size` requires another layout."""
        if compute_reading_test_layout(*size) != self._reading_layout:
            await self.recompose()

    def show_reading_test(self, reading_test: ReadingTest, classes: ClassList) -> None:
        """Show the first image without a reading; do nothing if all have one."""
        position, total = len(reading_test.class_ids), len(reading_test.reconstructions)
        if position >= total:
            return
        self.query_one(FramedImage).show_image(f"picture {position + 1}", "", reading_test.reconstructions[position])
        previous, following = self.query_one("#previous", CaptionedImages), self.query_one("#next", CaptionedImages)
        # The last thumbnail is always the latest reading; earlier ones move up.
        indices = range(position - previous.capacity, position)
        previous.show_images(
            [reading_test.reconstructions[index] if index >= 0 else None for index in indices],
            [format_reading_caption(reading_test.class_ids[index], classes) if index >= 0 else () for index in indices],
        )
        indices = range(position + 1, position + 1 + following.capacity)
        following.show_images(
            [reading_test.reconstructions[index] if index < total else None for index in indices],
            [()] * following.capacity,
        )


def format_reading_caption(class_id: int | None, classes: ClassList) -> tuple[Piece, ...]:
    """Return the caption of a reading, at most as wide as a thumbnail: "■ cat" is the class cat, "–" is unreadable."""
    return (("–", "dim"),) if class_id is None else format_class(class_id, classes, THUMBNAIL_CELLS[0])

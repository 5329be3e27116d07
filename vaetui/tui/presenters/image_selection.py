"""The selected image among many that are shown in pages of a grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vaetui.tui.presenters.focus_moves import move_index
from vaetui.tui.presenters.layout import compute_page_bounds


@dataclass(frozen=True, slots=True)
class ImageSelection:
    """A position among `count` images in pages of `columns` times `rows`."""

    count: int
    """Number of images."""
    columns: int = 1
    """Images in a row."""
    rows: int = 1
    """Rows on a page."""
    index: int = 0
    """The selected image, from 0."""

    @property
    def page_size(self) -> int:
        """Images on a page."""
        return self.columns * self.rows

    @property
    def page_bounds(self) -> tuple[int, int]:
        """Start and end (exclusive) of the page with the selected image."""
        return compute_page_bounds(self.index, self.count, self.page_size)

    def move(self, key: str) -> ImageSelection:
        """Return the selection after a key of `MOVE_KEYS`; it stops at both ends.

        At the edge of a page, the arrows go on to the next page.
        """
        index = move_index(self.index, key, self.count, self.columns, self.page_size)
        return replace(self, index=index)

"""A page of single images with captions, and the lines below it: what the last pages changed, and the digit keys."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical

from vaetui.engine.clusters import Pixels
from vaetui.session.review_views import PAGE_IMAGES
from vaetui.tui.presenters.layout import GridLayout, compute_page_grid
from vaetui.tui.presenters.styled_text import Piece, to_text
from vaetui.tui.widgets.selectable_tiles import SelectableTiles
from vaetui.tui.widgets.split_tiles import GAP_CELLS, SplitTiles
from vaetui.tui.widgets.text_line import TextLine

MIN_LOOK_S = 0.4
"""Seconds for which a new page cannot be accepted: a key held down or pressed twice was meant for the page before."""
EARLY_KEY_HINT = "Ignored: the page has just appeared"

ImageReader = Callable[[Sequence[int]], Pixels]
"""Returns images by index, [N, H, W] or [N, H, W, 3]; none before the images are loaded."""


class ImagePageView(Vertical):
    """A grid of images, of which one is selected, above two lines of text."""

    DEFAULT_CSS = """
    ImagePageView { width: 100%; height: 1fr; overflow: hidden; }
    ImagePageView TextLine { height: 1; padding: 0 1; color: $foreground 60%; text-align: center; }
    ImagePageView #sides { color: $foreground; padding: 0; text-align: left; }
    ImagePageView .-empty { height: 0; }
    """

    def __init__(self, read_images: ImageReader, *, has_sides: bool = False) -> None:
        """Create a view without images; with `has_sides`, the left and the right half of the grid stand apart."""
        super().__init__()
        self._read_images, self._has_sides = read_images, has_sides
        self._pixels: dict[int, Pixels] = {}
        self._has_colours = False
        self._shown_indices: tuple[int, ...] = ()
        self._ready_at_s = math.inf

    def compose(self) -> ComposeResult:
        """Create the images and the lines."""
        yield TextLine(id="sides", classes="" if self._has_sides else "-empty")
        yield SplitTiles() if self._has_sides else SelectableTiles()
        yield TextLine(id="progress", classes="-empty")
        yield TextLine(id="digit-keys", classes="-empty")

    @property
    def is_ready(self) -> bool:
        """Whether the page has been shown long enough to be accepted; asking too early starts the time again."""
        if monotonic() >= self._ready_at_s:
            return True
        if self._ready_at_s < math.inf:
            self._ready_at_s = monotonic() + MIN_LOOK_S
        return False

    @property
    def side_cells(self) -> tuple[int, int]:
        """Columns of each half of the grid, and of what lies between them."""
        tiles = self.query_one(SelectableTiles)
        places = tiles.places
        if not places:
            return 0, GAP_CELLS
        columns = sorted({place.x for place in places})
        half = columns[len(columns) // 2 - 1] + places[0].cells[0] - columns[0]
        return half, columns[len(columns) // 2] - columns[len(columns) // 2 - 1] - places[0].cells[0]

    def load_colours(self, image_index: int) -> bool:
        """Find out whether the images have colours, and return whether the images are loaded."""
        if image_index not in self._pixels:
            pixels = self._read_images([image_index])
            if not len(pixels):
                return False
            self._has_colours = pixels.ndim == 4
        return True

    def compute_grid(self, has_digit_keys: bool) -> GridLayout:
        """Return the grid of a page, with an even number of columns where the halves stand apart."""
        width, height = self.app.size
        rows = max(height - 3 - int(has_digit_keys) - int(self._has_sides), 1)
        if self._has_sides:
            side = compute_page_grid((width - GAP_CELLS) // 2, rows, PAGE_IMAGES // 2, self._has_colours)
            return replace(side, columns=2 * max(side.columns, 1), rows=max(side.rows, 1))
        grid = compute_page_grid(width, rows, PAGE_IMAGES, self._has_colours)
        lower_grid = compute_page_grid(width, max(rows - 1, 1), PAGE_IMAGES, self._has_colours)
        if min(lower_grid.capacity, PAGE_IMAGES) >= min(grid.capacity, PAGE_IMAGES):
            grid = lower_grid  # leaves a row for the progress
        return replace(grid, columns=min(grid.columns, -(-PAGE_IMAGES // grid.rows)))

    def show_page(
        self, grid: GridLayout, image_indices: Sequence[int | None], captions: Sequence[Sequence[Piece]], cursor: int
    ) -> None:
        """Show the images with their captions; `cursor` is the position of the selected one."""
        indices = [index for index in image_indices if index is not None]
        self._load(indices)
        pixels = [None if index is None else self._pixels.get(index) for index in image_indices]
        tiles = self.query_one(SelectableTiles)
        if indices:
            tiles.show_tiles(grid, pixels, captions, cursor)
        else:
            tiles.clear()

    def show_full_size(self, image_index: int) -> None:
        """Show one image as large as it fits."""
        self._load([image_index, *self._shown_indices])
        self.query_one(SelectableTiles).show_full_size(self._pixels[image_index])

    def show_lines(self, grid: GridLayout, progress_texts: Sequence[str], digit_text: str) -> bool:
        """Show the digit keys, and the first text about the progress that fits.

        Return whether the grid leaves a row for the progress.
        """
        rows = self.app.size.height - 3 - int(bool(digit_text)) - int(self._has_sides)
        has_row = bool(progress_texts) and rows > grid.rows * grid.row_cells
        cells = self.app.size.width - 2
        progress_text = next((text for text in progress_texts if cell_len(text) <= cells), "")
        for line_id, text in (("#progress", progress_text if has_row else ""), ("#digit-keys", digit_text)):
            line = self.query_one(line_id, TextLine)
            line.set_class(not text, "-empty")
            line.set_text(text)
        return has_row

    def show_side_headings(self, pieces: Sequence[Piece]) -> None:
        """Show the names of the classes above the halves of the grid."""
        places = self.query_one(SelectableTiles).places
        left = min((place.x for place in places), default=0)
        self.query_one("#sides", TextLine).set_text(to_text([(" " * left, ""), *pieces]))

    def _load(self, indices: Sequence[int]) -> None:
        """Keep the pixels of these images alone; another page has to be looked at before it can be accepted."""
        missing = [index for index in indices if index not in self._pixels]
        if missing:
            pixels = self._read_images(missing)
            self._pixels |= dict(zip(missing, pixels, strict=False))
        self._pixels = {index: self._pixels[index] for index in indices if index in self._pixels}
        if set(self._shown_indices) != set(indices):
            self._shown_indices, self._ready_at_s = tuple(indices), math.inf
            self.call_after_refresh(self._begin_look)

    def _begin_look(self) -> None:
        self._ready_at_s = monotonic() + MIN_LOOK_S

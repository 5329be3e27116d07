"""Sizes and grids of the images on each screen, computed from the size of the terminal."""

from __future__ import annotations

from dataclasses import dataclass

from vaetui.session.views import SHOWN_MEMBERS

THUMBNAIL_CELLS = (14, 7)
"""Columns and rows of a thumbnail: large enough to read a digit, and a screen of twenty takes 30 kB."""
CAPTIONED_THUMBNAIL_CELLS = (15, 8)
"""Columns and rows of a thumbnail with its bar and caption."""
MAX_PAGE_THUMBNAILS = 48
"""Maximum number of thumbnails on a page: a round has about 16, and each delays the first screen by 5 ms."""
MIN_PANEL_CELLS = 20
"""Minimum line width of the details panel; its longest fixed line takes 18 cells."""
IMAGE_SIZES_CELLS = ((28, 14), (20, 10), THUMBNAIL_CELLS, (12, 6))
"""Image sizes of a grid, the largest first; digits smaller than 12x6 are unreadable."""
MIN_GRID_IMAGES = 18
"""Number of images that a grid should hold before it uses larger images."""


@dataclass(frozen=True, slots=True)
class LabellingLayout:
    """Sizes on the labelling screen, in cells."""

    centre_cells: tuple[int, int]
    """Columns and rows of the focused centre."""
    member_grid: tuple[int, int]
    """Columns and rows of member thumbnails beside the centre."""
    panel_cells: int
    """Line width of the details panel beside the members; 0 if a line below the images replaces it."""
    cluster_grid: tuple[int, int] | None
    """Columns and rows of cluster thumbnails; None if a text list replaces them."""
    list_rows: int
    """Rows below the rule."""


@dataclass(frozen=True, slots=True)
class GridLayout:
    """A grid of images of equal size."""

    image_cells: tuple[int, int]
    """Columns and rows of an image, in cells."""
    columns: int
    """Images in a row."""
    rows: int
    """Rows of images."""


@dataclass(frozen=True, slots=True)
class ReadingTestLayout:
    """Sizes on the screen of the reading test."""

    centre_cells: tuple[int, int]
    """Columns and rows of the current image, in cells."""
    previous_grid: tuple[int, int]
    """Columns and rows of thumbnails of images already read."""
    next_grid: tuple[int, int]
    """Columns and rows of thumbnails of the images that follow."""


def compute_labelling_layout(width: int, height: int) -> LabellingLayout:
    """Return the layout for a terminal of `width` columns and `height` rows."""
    # 28x14 cells show a digit of MNIST pixel by pixel; terminals below 80x24 are too small for it.
    centre_cells = (28, 14) if width >= 80 and height >= 24 else (20, 10)
    is_large = width >= 100 and height >= 37
    top_rows = centre_cells[1] + 2
    member_columns = max((width - centre_cells[0] - 3) // (THUMBNAIL_CELLS[0] + 1), 1)
    member_rows = max((top_rows - 1) // THUMBNAIL_CELLS[1], 1)
    member_columns = min(member_columns, SHOWN_MEMBERS // member_rows)
    # Frames and gaps take two columns at the centre, one at the members and three at the panel.
    panel_cells = width - centre_cells[0] - 2 - member_columns * (THUMBNAIL_CELLS[0] + 1) - 1 - 3
    panel_cells = panel_cells if is_large and panel_cells >= MIN_PANEL_CELLS else 0
    # Header, rule, prompt and footer take one row each; without a panel the details take one more.
    list_rows = max(height - top_rows - (4 if panel_cells else 5), 1)
    cluster_grid = None
    if is_large:
        columns = width // CAPTIONED_THUMBNAIL_CELLS[0]
        cluster_grid = (columns, min(list_rows // CAPTIONED_THUMBNAIL_CELLS[1], -(-MAX_PAGE_THUMBNAILS // columns)))
    return LabellingLayout(centre_cells, (member_columns, member_rows), panel_cells, cluster_grid, list_rows)


def compute_reading_test_layout(width: int, height: int) -> ReadingTestLayout:
    """Return the layout for a terminal of that size; it has few images, because every key changes all of them."""
    centre_cells = compute_labelling_layout(width, height).centre_cells
    columns = min((width - centre_cells[0] - 4) // 2 // (THUMBNAIL_CELLS[0] + 1), 2)
    rows = (centre_cells[1] + 3) // CAPTIONED_THUMBNAIL_CELLS[1]
    return ReadingTestLayout(centre_cells, (columns, rows), (1, rows))


def compute_grid_layout(width: int, height: int) -> GridLayout:
    """Return the grid with the largest images of which `MIN_GRID_IMAGES` fit a terminal of that size."""
    for image_cells in IMAGE_SIZES_CELLS:
        # One cell separates two images; header, prompt and footer take one row each.
        columns, rows = (width + 1) // (image_cells[0] + 1), (height - 2) // (image_cells[1] + 1)
        if columns * rows >= MIN_GRID_IMAGES or image_cells == IMAGE_SIZES_CELLS[-1]:
            break
    columns = max(columns, 1)
    return GridLayout(image_cells, columns, max(min(rows, -(-MAX_PAGE_THUMBNAILS // columns)), 1))


def compute_visible_rows(cursor_row: int, count: int, height: int) -> range:
    """Return the rows of a list that fit a terminal of `height` rows, the last of them at or after `cursor_row`."""
    max_rows = max(height - 5, 1)
    first_row = max(0, cursor_row - max_rows + 1)
    return range(first_row, min(first_row + max_rows, count))


def compute_page_bounds(index: int, count: int, page_size: int) -> tuple[int, int]:
    """Return start and end (exclusive) of the page of `count` items that contains the item at `index`."""
    start = index - index % page_size
    return start, min(start + page_size, count)

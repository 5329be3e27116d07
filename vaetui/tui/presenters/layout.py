"""Sizes and grids of the images on each screen, computed from the size of the terminal."""

from __future__ import annotations

from dataclasses import dataclass

THUMBNAIL_CELLS = (14, 7)
"""Columns and rows of a thumbnail: large enough to read a digit, and a screen of twenty takes 30 kB."""
CAPTIONED_THUMBNAIL_CELLS = (15, 8)
"""Columns and rows of a thumbnail with its bar and caption."""
MAX_GRID_IMAGES = 48
"""Maximum number of images in a grid of separate pictures, each of which delays the first screen by 5 ms."""
TILE_SIZES_CELLS = ((28, 14), (24, 12), (20, 10), (18, 9), (16, 8), THUMBNAIL_CELLS, (13, 7), (12, 6))
"""Sizes of the thumbnails of clusters, the largest first; digits smaller than 12x6 are unreadable."""
MIN_TILE_ROWS = TILE_SIZES_CELLS[-1][1] + 2
"""Rows of a row of the smallest tiles with their frames."""
MIN_JUDGED_CELLS, MIN_PHOTO_CELLS = (13, 7), (16, 8)
"""Columns and rows of the smallest tile of a page whose images are judged one by one, and of the smallest photo."""
PIXEL_SIZE = (28, 28)
"""Width and height of the images if nothing else is known."""
MIN_THUMBNAIL_SIZE = (100, 30)
"""Columns and rows from which on the clusters are thumbnails and not a list."""
MIN_SHOWN_MEMBERS = 8
"""Members beside the focused picture; larger thumbnails are chosen only if as many fit."""
MANY_MEMBERS = 24
"""Members beside the focused picture on a terminal of at least `MANY_MEMBERS_ROWS`."""
MANY_MEMBERS_ROWS = 56
"""Rows of a terminal from which on `MANY_MEMBERS` are shown."""
MIN_COLOUR_IMAGES = 12
"""Colour images that a page should show before they are larger than thumbnails."""
MIN_PANEL_CELLS = 18
"""Minimum line width of the details panel, which is that of its longest fixed line."""
IMAGE_SIZES_CELLS = ((28, 14), (20, 10), THUMBNAIL_CELLS, (12, 6))
"""Image sizes of a grid, the largest first; digits smaller than 12x6 are unreadable."""
MIN_GRID_IMAGES = 18
"""Number of images that a grid should hold before it uses larger images."""


@dataclass(frozen=True, slots=True)
class GridLayout:
    """A grid of images of equal size."""

    image_cells: tuple[int, int]
    """Columns and rows of an image, in cells."""
    columns: int
    """Images in a row."""
    rows: int
    """Rows of images."""
    row_gap: int = 1
    """Empty rows between two rows of images."""

    @property
    def capacity(self) -> int:
        """Number of images."""
        return self.columns * self.rows

    @property
    def column_cells(self) -> int:
        """Cells from one image to the next in its row."""
        return self.image_cells[0] + 1

    @property
    def row_cells(self) -> int:
        """Cells from one image to the next in its column."""
        return self.image_cells[1] + self.row_gap


@dataclass(frozen=True, slots=True)
class LabellingLayout:
    """Sizes on the labelling screen, in cells."""

    centre_cells: tuple[int, int]
    """Columns and rows of the focused picture."""
    member_grid: GridLayout
    """The member thumbnails beside it."""
    panel_cells: int
    """Line width of the details panel beside the members; 0 if a line below the images replaces it."""
    has_thumbnails: bool
    """Whether the clusters below the rule are thumbnails, and not a list."""
    list_rows: int
    """Rows below the rule."""


@dataclass(frozen=True, slots=True)
class ReadingTestLayout:
    """Sizes on the screen of the reading test."""

    centre_cells: tuple[int, int]
    """Columns and rows of the current image, in cells."""
    previous_grid: tuple[int, int]
    """Columns and rows of thumbnails of images already read."""
    next_grid: tuple[int, int]
    """Columns and rows of thumbnails of the images that follow."""


def compute_labelling_layout(width: int, height: int, pixel_size: tuple[int, int] = PIXEL_SIZE) -> LabellingLayout:
    """Return the layout for a terminal of `width` columns and `height` rows and images of `pixel_size`."""
    has_thumbnails = width >= MIN_THUMBNAIL_SIZE[0] and height >= MIN_THUMBNAIL_SIZE[1]
    centre_cells = _compute_centre_cells(width, height, pixel_size)
    top_rows = centre_cells[1] + 2
    # Of the rest of the width, one cell is before the members and three are around the panel.
    rest = width - centre_cells[0] - 2 - 1
    member_grid = _compute_member_grid(rest - MIN_PANEL_CELLS - 3, top_rows - 1, height) if has_thumbnails else None
    panel_cells = 0
    if member_grid is None:
        member_grid = _compute_member_grid(rest, top_rows - 1, height) or GridLayout(THUMBNAIL_CELLS, 1, 1)
    else:
        panel_cells = rest - 3 - (member_grid.columns * member_grid.column_cells - 1)
    # Header, rule, prompt and footer take one row each; without a panel the details take one more.
    list_rows = max(height - top_rows - (4 if panel_cells else 5), 1)
    return LabellingLayout(centre_cells, member_grid, panel_cells, has_thumbnails, list_rows)


def compute_tile_grid(width: int, height: int, count: int) -> GridLayout:
    """Return the grid of framed thumbnails with captions for `count` clusters in an area of `width` times `height`.

    The thumbnails are the largest ones of which all fit one page, else those of which most do. A frame takes a row
    above and one below a thumbnail, and the cells at its left and its right, which neighbours share.
    """
    grids = [
        GridLayout(cells, max((width - 1) // (cells[0] + 1), 1), max(height // (cells[1] + 2), 1), 2)
        for cells in TILE_SIZES_CELLS
        if cells[1] + 2 <= height and cells[0] + 2 <= width
    ] or [GridLayout(TILE_SIZES_CELLS[-1], 1, 1, 2)]
    return next((grid for grid in grids if grid.capacity >= count), max(grids, key=lambda grid: grid.capacity))


def compute_page_grid(width: int, height: int, count: int, has_colours: bool = False) -> GridLayout:
    """Return the grid of framed tiles with captions for a page of `count` images that are judged one by one.

    A page that does not fit the area of `width` times `height` is shown in as few parts as possible; of the tiles for
    so many parts, the largest are chosen. No tile is smaller than `MIN_JUDGED_CELLS`, or for photos `MIN_PHOTO_CELLS`,
    if that fits.
    """
    min_cells = MIN_PHOTO_CELLS if has_colours else MIN_JUDGED_CELLS
    grids = [
        GridLayout(cells, (width - 1) // (cells[0] + 1), height // (cells[1] + 2), 2)
        for cells in TILE_SIZES_CELLS
        if cells[0] >= min_cells[0]
    ]
    grids = [grid for grid in grids if grid.capacity] or [compute_tile_grid(width, height, 1)]
    part_count = -(-count // max(grid.capacity for grid in grids))
    return next(grid for grid in grids if grid.capacity * part_count >= count)


def compute_selection_grid(width: int, height: int, has_colours: bool = False) -> GridLayout:
    """Return the grid of images that share the frame lines between them, for an area of `width` times `height`.

    Grey images are thumbnails of 14x7 cells; photos need more, unless that leaves fewer than `MIN_COLOUR_IMAGES`.
    """
    sizes = [cells for cells in TILE_SIZES_CELLS if cells[0] <= 20] if has_colours else []
    grid = GridLayout(THUMBNAIL_CELLS, 1, 1)
    for cells in (*(size for size in sizes if size[0] >= THUMBNAIL_CELLS[0]), THUMBNAIL_CELLS):
        grid = GridLayout(cells, max((width - 1) // (cells[0] + 1), 1), max((height - 1) // (cells[1] + 1), 1))
        if grid.capacity >= MIN_COLOUR_IMAGES:
            break
    return grid


def fit_picture_cells(max_columns: int, max_rows: int, pixel_size: tuple[int, int]) -> tuple[int, int]:
    """Return the columns and rows of the largest picture of an image of `pixel_size` (width, height) that fit.

    A cell is one pixel wide and two high. Small images are enlarged by a whole factor.
    """
    width, height = pixel_size
    scale = min(max_columns / width, 2 * max_rows / height)
    scale = int(scale) if scale >= 1 else scale
    return max(round(width * scale), 1), max(-(-round(height * scale) // 2), 1)


def _compute_centre_cells(width: int, height: int, pixel_size: tuple[int, int]) -> tuple[int, int]:
    """Return the size of the focused picture: what is left of a terminal that shows two rows of thumbnails.

    It is at least 28x14 cells, which show a digit of MNIST pixel by pixel; terminals below 80x24 are too small for it.
    """
    if width < 80 or height < 24:
        return 20, 10
    # Header, rule, prompt, footer and the frame take one row each, and two rows of thumbnails of 12x6 take 16.
    max_rows, max_columns = height - 22, width // 2 - 12
    columns, rows = fit_picture_cells(max_columns, max_rows, pixel_size) if max_rows > 14 else (0, 0)
    return max(columns, 28), max(rows, 14)


def _compute_member_grid(width: int, rows: int, terminal_rows: int) -> GridLayout | None:
    """Return the grid of members for an area with a heading, or None if it is too narrow."""
    min_count = MANY_MEMBERS if terminal_rows >= MANY_MEMBERS_ROWS else MIN_SHOWN_MEMBERS
    grids = [
        GridLayout(cells, (width + 1) // (cells[0] + 1), (rows + 1) // (cells[1] + 1))
        for cells in TILE_SIZES_CELLS
        if cells[0] >= THUMBNAIL_CELLS[0]
    ]
    grids = [grid for grid in grids if grid.capacity]
    if not grids:
        return None
    return next((grid for grid in grids if grid.capacity >= min_count), grids[-1])


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
    return GridLayout(image_cells, columns, max(min(rows, -(-MAX_GRID_IMAGES // columns)), 1))


def compute_visible_rows(cursor_row: int, count: int, height: int) -> range:
    """Return the rows of a list that fit a terminal of `height` rows, the last of them at or after `cursor_row`."""
    max_rows = max(height - 5, 1)
    first_row = max(0, cursor_row - max_rows + 1)
    return range(first_row, min(first_row + max_rows, count))


def compute_centred_rows(index: int, count: int, max_rows: int) -> range:
    """Return at most `max_rows` rows of a list of `count` rows, with that of `index` in their middle if possible."""
    start = min(max(index - max_rows // 2, 0), max(count - max_rows, 0))
    return range(start, min(start + max_rows, count))


def compute_page_bounds(index: int, count: int, page_size: int) -> tuple[int, int]:
    """Return start and end (exclusive) of the page of `count` items that contains the item at `index`."""
    start = index - index % page_size
    return start, min(start + page_size, count)

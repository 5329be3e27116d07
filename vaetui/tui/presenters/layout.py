"""What fits where among labelling, reading and new pictures, for each size of the terminal; not what is shown."""

from __future__ import annotations

from dataclasses import dataclass

from vaetui.session.views import SHOWN_MEMBERS

THUMBNAIL_CELLS = (14, 7)
"""Cells of a thumbnail: clear digits are plain, and a screen of twenty costs 30 kB."""
CAPTIONED_THUMBNAIL_CELLS = (15, 8)
"""Cells of a thumbnail with its bar and its caption."""
MAX_PAGE_THUMBNAILS = 48
"""Tiles on a page that are enough: a round has 16, and each one mounted delays the first screen by 5 ms."""


MIN_PANEL_CELLS = 20
"""Cells of a line that a panel needs: its longest words are 19, and half of them show a name."""


@dataclass(frozen=True, slots=True)
class LabellingLayout:
    """The parts of the screen, in cells."""

    centre_cells: tuple[int, int]
    """The picture of the focused centre."""
    member_grid: tuple[int, int]
    """Columns and rows of members beside it."""
    panel_cells: int
    """Cells of a line of facts beside these; 0 where one line below takes their place."""
    cluster_grid: tuple[int, int] | None
    """Columns and rows of thumbnails; None where a list of words takes their place."""
    list_rows: int
    """Rows under the rule."""


IMAGE_SIZES_CELLS = ((28, 14), (20, 10), THUMBNAIL_CELLS, (12, 6))
"""Cells that a picture on a wall may have, the largest first; under the last no digit is to be recognised."""
MIN_GRID_IMAGES = 18
"""Pictures on a wall that are enough to see what there is: larger ones are better than more."""


@dataclass(frozen=True, slots=True)
class GridLayout:
    """How the pictures hang on a wall."""

    image_cells: tuple[int, int]
    """Width and height of each."""
    columns: int
    """Pictures in a row."""
    rows: int
    """Rows of them."""


@dataclass(frozen=True, slots=True)
class ReadingLayout:
    """The pictures of the reading test, in cells and in columns and rows of thumbnails."""

    centre_cells: tuple[int, int]
    """The picture that is read."""
    previous_grid: tuple[int, int]
    """Columns and rows of those read before it."""
    next_grid: tuple[int, int]
    """Columns and rows of those that follow."""


def compute_labelling_layout(width: int, height: int) -> LabellingLayout:
    """Choose what fits a terminal of that size."""
    # 28x14 cells show a digit of MNIST pixel by pixel; under 80x24 there is no room for it.
    centre = (28, 14) if width >= 80 and height >= 24 else (20, 10)
    large = width >= 100 and height >= 37
    top = centre[1] + 2
    columns = max((width - centre[0] - 3) // (THUMBNAIL_CELLS[0] + 1), 1)
    rows = max((top - 1) // THUMBNAIL_CELLS[1], 1)
    columns = min(columns, SHOWN_MEMBERS // rows)
    # Frames and gaps take two cells at the centre, one at the members and three at the facts.
    panel = width - centre[0] - 2 - columns * (THUMBNAIL_CELLS[0] + 1) - 1 - 3
    panel = panel if large and panel >= MIN_PANEL_CELLS else 0
    # Header, rule, prompt and footer take a line each; where there is no panel the facts take one more.
    left = max(height - top - (4 if panel else 5), 1)
    across = width // CAPTIONED_THUMBNAIL_CELLS[0]
    gallery = (across, min(left // CAPTIONED_THUMBNAIL_CELLS[1], -(-MAX_PAGE_THUMBNAILS // across))) if large else None
    return LabellingLayout(centre, (columns, rows), panel, gallery, left)


def compute_reading_layout(width: int, height: int) -> ReadingLayout:
    """Choose what fits a terminal of that size: few, as all of them change with every key."""
    centre = compute_labelling_layout(width, height).centre_cells
    columns = min((width - centre[0] - 4) // 2 // (THUMBNAIL_CELLS[0] + 1), 2)
    rows = (centre[1] + 3) // CAPTIONED_THUMBNAIL_CELLS[1]
    return ReadingLayout(centre, (columns, rows), (1, rows))


def compute_grid_layout(width: int, height: int) -> GridLayout:
    """Choose what fits a terminal of that size between header and footer: the largest that are still many."""
    for cells in IMAGE_SIZES_CELLS:
        # A cell of air lies between two pictures; header, prompt and footer take a line each.
        columns, rows = (width + 1) // (cells[0] + 1), (height - 2) // (cells[1] + 1)
        if columns * rows >= MIN_GRID_IMAGES or cells == IMAGE_SIZES_CELLS[-1]:
            break
    return GridLayout(cells, max(columns, 1), max(min(rows, -(-MAX_PAGE_THUMBNAILS // max(columns, 1))), 1))


def compute_page_bounds(index: int, count: int, page_size: int) -> tuple[int, int]:
    """Give the first and the last but one of the tiles on the page that holds the one at that place."""
    first = index - index % page_size
    return first, min(first + page_size, count)

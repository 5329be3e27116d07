"""What fits where among labelling, reading and new pictures, for each size of the terminal; not what is shown."""

from __future__ import annotations

from dataclasses import dataclass

from vaetui.session.views import SHOWN

THUMB = (14, 7)
"""Cells of a thumbnail: clear digits are plain, and a screen of twenty costs 30 kB."""
TILE = (15, 8)
"""Cells of a thumbnail with its bar and its caption."""
TILES = 48
"""Tiles on a page that are enough: a round has 16, and each one mounted delays the first screen by 5 ms."""


PANEL = 20
"""Cells of a line that a panel needs: its longest words are 19, and half of them show a name."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of the screen, in cells."""

    centre: tuple[int, int]
    """The picture of the focused centre."""
    members: tuple[int, int]
    """Columns and rows of members beside it."""
    panel: int
    """Cells of a line of facts beside these; 0 where one line below takes their place."""
    gallery: tuple[int, int] | None
    """Columns and rows of thumbnails; None where a list of words takes their place."""
    rows: int
    """Rows under the rule."""


WALL = ((28, 14), (20, 10), THUMB, (12, 6))
"""Cells that a picture on a wall may have, the largest first; under the last no digit is to be recognised."""
FULL = 18
"""Pictures on a wall that are enough to see what there is: larger ones are better than more."""


@dataclass(frozen=True, slots=True)
class Hanging:
    """How the pictures hang on a wall."""

    cells: tuple[int, int]
    """Width and height of each."""
    columns: int
    """Pictures in a row."""
    rows: int
    """Rows of them."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The pictures of the reading test, in cells and in columns and rows of thumbnails."""

    centre: tuple[int, int]
    """The picture that is read."""
    before: tuple[int, int]
    """Columns and rows of those read before it."""
    after: tuple[int, int]
    """Columns and rows of those that follow."""


def plan(width: int, height: int) -> Plan:
    """Choose what fits a terminal of that size."""
    # 28x14 cells show a digit of MNIST pixel by pixel; under 80x24 there is no room for it.
    centre = (28, 14) if width >= 80 and height >= 24 else (20, 10)
    large = width >= 100 and height >= 37
    top = centre[1] + 2
    columns = max((width - centre[0] - 3) // (THUMB[0] + 1), 1)
    rows = max((top - 1) // THUMB[1], 1)
    columns = min(columns, SHOWN // rows)
    # Frames and gaps take two cells at the centre, one at the members and three at the facts.
    panel = width - centre[0] - 2 - columns * (THUMB[0] + 1) - 1 - 3
    panel = panel if large and panel >= PANEL else 0
    # Header, rule, prompt and footer take a line each; where there is no panel the facts take one more.
    left = max(height - top - (4 if panel else 5), 1)
    across = width // TILE[0]
    gallery = (across, min(left // TILE[1], -(-TILES // across))) if large else None
    return Plan(centre, (columns, rows), panel, gallery, left)


def spread(width: int, height: int) -> Spread:
    """Choose what fits a terminal of that size: few, as all of them change with every key."""
    centre = plan(width, height).centre
    columns = min((width - centre[0] - 4) // 2 // (THUMB[0] + 1), 2)
    rows = (centre[1] + 3) // TILE[1]
    return Spread(centre, (columns, rows), (1, rows))


def hang(width: int, height: int) -> Hanging:
    """Choose what fits a terminal of that size between header and footer: the largest that are still many."""
    for cells in WALL:
        # A cell of air lies between two pictures; header, prompt and footer take a line each.
        columns, rows = (width + 1) // (cells[0] + 1), (height - 2) // (cells[1] + 1)
        if columns * rows >= FULL or cells == WALL[-1]:
            break
    return Hanging(cells, max(columns, 1), max(min(rows, -(-TILES // max(columns, 1))), 1))


def page(at: int, count: int, room: int) -> tuple[int, int]:
    """Give the first and the last but one of the tiles on the page that holds the one at that place."""
    first = at - at % room
    return first, min(first + room, count)

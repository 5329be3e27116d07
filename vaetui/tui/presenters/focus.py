"""Where the focus goes among the tiles of a round; it does not know how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.answers import Path
from vaetui.session.views import Tile


def place(tiles: Sequence[Tile], path: Path) -> int:
    """Find the tile of that path, or of the nearest cluster above it, or the first."""
    places = {tile.path: at for at, tile in enumerate(tiles)}
    while path and path not in places:
        path = path[:-1]
    return places.get(path, 0)


def next_open(tiles: Sequence[Tile], at: int, step: int = 1) -> int | None:
    """Find the next tile without an answer after that place, around the end; backwards with step -1.

    In reading order the tile after the last part is the parent's next neighbour. The tile at that place
    comes last. None where all are answered.
    """
    around = [(at + step * far) % len(tiles) for far in range(1, len(tiles) + 1)]
    return next((place for place in around if tiles[place].answer is None), None)


def moved(at: int, key: str, columns: int, count: int) -> int:
    """Go one tile left, right, up or down among `count` in rows of `columns`; at the edge stay."""
    to = at + {"left": -1, "right": 1, "up": -columns, "down": columns}[key]
    if key == "down" and to >= count and at // columns < (count - 1) // columns:
        return count - 1
    return to if 0 <= to < count else at

"""Where the focus goes among the tiles of a round; it does not know how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.answers import ClusterPath
from vaetui.session.views import ClusterView


def find_cluster_index(clusters: Sequence[ClusterView], path: ClusterPath) -> int:
    """Find the tile of that path, or of the nearest cluster above it, or the first."""
    places = {tile.path: at for at, tile in enumerate(clusters)}
    while path and path not in places:
        path = path[:-1]
    return places.get(path, 0)


def find_unanswered(clusters: Sequence[ClusterView], index: int, step: int = 1) -> int | None:
    """Find the next tile without an answer after that place, around the end; backwards with step -1.

    In reading order the tile after the last part is the parent's next neighbour. The tile at that place
    comes last. None where all are answered.
    """
    around = [(index + step * far) % len(clusters) for far in range(1, len(clusters) + 1)]
    return next((place for place in around if clusters[place].answer is None), None)


def move_focus(index: int, key: str, columns: int, count: int) -> int:
    """Go one tile left, right, up or down among `count` in rows of `columns`; at the edge stay."""
    to = index + {"left": -1, "right": 1, "up": -columns, "down": columns}[key]
    if key == "down" and to >= count and index // columns < (count - 1) // columns:
        return count - 1
    return to if 0 <= to < count else index

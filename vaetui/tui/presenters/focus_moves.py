"""Moves of the focus among the clusters of a round, and among the items of a list or grid."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.answers import ClusterPath
from vaetui.session.views import ClusterView

MOVE_KEYS = frozenset({"left", "right", "up", "down", "page_up", "page_down", "first", "last"})
"""Names of the keys that move the focus."""


def find_cluster_or_ancestor(clusters: Sequence[ClusterView], path: ClusterPath) -> int:
    """Return the index of the cluster at `path`, else of its nearest ancestor, else 0."""
    index_by_path = {cluster.path: index for index, cluster in enumerate(clusters)}
    while path and path not in index_by_path:
        path = path[:-1]
    return index_by_path.get(path, 0)


def find_next_unanswered(clusters: Sequence[ClusterView], index: int, step: int = 1) -> int | None:
    """Return the index of the next cluster without an answer, or None if all have one.

    The search starts after `index`, goes backwards with `step` -1, and wraps around; the cluster at `index`
    itself comes last. In reading order the parts of a cluster lie between it and its next neighbour.
    """
    indices = [(index + step * distance) % len(clusters) for distance in range(1, len(clusters) + 1)]
    return next((candidate for candidate in indices if clusters[candidate].answer is None), None)


def move_index(index: int, key: str, count: int, columns: int = 1, page_size: int = 1) -> int:
    """Return the index after a key of `MOVE_KEYS` among `count` items in rows of `columns`; it stops at both ends."""
    last = max(count - 1, 0)
    if key in ("left", "right", "up", "down"):
        target = index + {"left": -1, "right": 1, "up": -columns, "down": columns}[key]
        if key == "down" and target > last and index // columns < last // columns:
            return last
        return target if 0 <= target <= last else index
    target = {"page_up": index - page_size, "page_down": index + page_size, "first": 0, "last": last}[key]
    return min(max(target, 0), last)

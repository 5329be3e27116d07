"""Moves of the focus among the clusters of a round."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.answers import ClusterPath
from vaetui.session.views import ClusterView


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


def find_neighbour_index(index: int, key: str, columns: int, count: int) -> int:
    """Return the index left, right, up or down of `index` in a grid of `count` cells; stop at its edges."""
    target = index + {"left": -1, "right": 1, "up": -columns, "down": columns}[key]
    if key == "down" and target >= count and index // columns < (count - 1) // columns:
        return count - 1
    return target if 0 <= target < count else index

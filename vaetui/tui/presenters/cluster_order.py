"""The order in which the clusters of a round are shown, and which of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from vaetui.engine.answers import find_answer_class
from vaetui.engine.classes import ClassList
from vaetui.session.views import ClusterView

SortOrder: TypeAlias = Literal["number", "size", "doubt", "class"]
SORT_ORDERS: tuple[SortOrder, ...] = ("number", "size", "doubt", "class")
"""The orders, in which a key switches through them."""
MIXED_SHARE = 0.6
"""Share of the members with the most frequent predicted class below which a cluster is probably mixed."""


class ClusterOrder:
    """Keeps the clusters in the order of the last sorting, so that an answer moves no cluster."""

    def __init__(self, clusters: Sequence[ClusterView]) -> None:
        """Show all clusters by their number."""
        self.sort_order: SortOrder = "number"
        """The order."""
        self.shows_open_only = False
        """Whether clusters with an answer are hidden."""
        self._paths = [cluster.path for cluster in clusters]

    @property
    def description(self) -> str:
        """The order and the filter, such as "by size · open only"; "" for the defaults."""
        parts = [] if self.sort_order == "number" else [f"by {self.sort_order}"]
        return " · ".join([*parts, *(["open only"] if self.shows_open_only else [])])

    def sort(self, order: SortOrder, clusters: Sequence[ClusterView], classes: ClassList) -> None:
        """Sort the clusters."""
        self.sort_order = order
        self._paths = [cluster.path for cluster in sort_clusters(clusters, order, classes)]

    def arrange(self, clusters: Sequence[ClusterView]) -> tuple[ClusterView, ...]:
        """Return all clusters in the order of the last sorting; new parts follow the cluster that was split."""
        by_path = {cluster.path: cluster for cluster in clusters}
        paths = [path for path in self._paths if path in by_path]
        positions = {path: index for index, path in enumerate(paths)}
        for path in by_path:  # in reading order: parts after their parent
            if path not in positions:
                is_before = [other for other in paths if other[: len(path) - 1] == path[:-1]]
                index = paths.index(is_before[-1]) + 1 if is_before else len(paths)
                paths.insert(index, path)
        self._paths = paths
        return tuple(by_path[path] for path in paths)

    def select_visible(self, clusters: Sequence[ClusterView]) -> tuple[ClusterView, ...]:
        """Return the arranged clusters that are shown: all if no cluster is open."""
        open_clusters = tuple(cluster for cluster in clusters if is_open(cluster))
        return open_clusters if self.shows_open_only and open_clusters else tuple(clusters)


def is_open(cluster: ClusterView) -> bool:
    """Return whether the cluster has no answer and is not split."""
    return cluster.answer is None


def is_probably_mixed(cluster: ClusterView) -> bool:
    """Return whether the members probably have several classes: most of them are not predicted as the same one."""
    return cluster.guess is None or cluster.guess[1] < MIXED_SHARE


def sort_clusters(clusters: Iterable[ClusterView], order: SortOrder, classes: ClassList) -> list[ClusterView]:
    """Return the clusters, the largest, the most doubtful or those of the first class first."""

    def find_class_name(cluster: ClusterView) -> str:
        class_id = None if cluster.answer is None else find_answer_class(cluster.answer)
        if class_id is not None:
            return classes.names[class_id]
        return classes.names[cluster.guess[0]] if cluster.guess is not None else ""

    def create_key(cluster: ClusterView) -> tuple[object, ...]:
        match order:
            case "size":
                return (-cluster.size, cluster.path)
            case "doubt":
                share = cluster.guess[1] if cluster.guess is not None else 0.0
                return (not is_open(cluster), share, cluster.path)
            case "class":
                name = find_class_name(cluster)
                return (not name, name.casefold(), cluster.path)
        return (cluster.path,)

    return sorted(clusters, key=create_key)

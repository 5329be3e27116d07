"""A clustering as a tree of frozen clusters: pure geometry that knows no opinion and no algorithm.

Its types are wanted before the first frame is painted, so numpy is loaded only where it computes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from vaetui.engine.answers import ClusterPath
from vaetui.engine.config import DistanceMetric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LatentVectors: TypeAlias = "NDArray[np.float32]"
"""Latent vectors, [N, z_dim]."""
Indices: TypeAlias = "NDArray[np.int64]"
"""Places of images in the training set, [N]."""
Pixels: TypeAlias = "NDArray[np.uint8]"
"""Pictures, 0 to 255: grey ones [N, H, W], in colour [N, H, W, 3]; all shapes are told for grey ones."""
MAX_CLUSTERS = 1_000
"""Clusters of a round, or parts of one, at most: nobody would answer more."""


NOT_QUERIED = -1
"""Instead of the place of a centre: this image is not asked about."""


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """Images that lie together in the latent space."""

    path: ClusterPath
    """Its place in the tree."""
    centre: NDArray[np.float32]
    """The mean of its members' latent vectors, [z_dim]."""
    centre_image: Pixels
    """The decoded centre, [H, W]."""
    members: Indices
    """Its images, nearest to the centre first, [M]."""
    distances: NDArray[np.float32]
    """Their Euclidean distances to the centre, ascending, [M]."""
    children: tuple[Cluster, ...] = ()
    """The parts that it was split into."""

    @property
    def mean_distance(self) -> float:
        """The mean distance of a member, in units of the latent space."""
        return float(self.distances.mean()) if len(self.distances) else 0.0


ClusterTree: TypeAlias = tuple[Cluster, ...]
"""The clusters of one round, each with its parts."""


def to_metric_space(latents: LatentVectors, distance_metric: DistanceMetric) -> LatentVectors:
    """Put latent vectors [N, z_dim] where their Euclidean distance says how near they are; directions get length 1."""
    import numpy as np

    if distance_metric == "place":
        return latents
    lengths = np.linalg.norm(latents, axis=1, keepdims=True)
    directions: LatentVectors = latents / np.maximum(lengths, 1e-12).astype(np.float32)
    return directions


def decodable_centres(
    latents: LatentVectors, assignments: NDArray[np.int32], centres: LatentVectors, distance_metric: DistanceMetric
) -> LatentVectors:
    """Give the latent vectors to be decoded for centres [K, z_dim]: of directions, the means of their members."""
    import numpy as np

    if distance_metric == "place":
        return centres
    return np.stack([latents[assignments == part].mean(axis=0) for part in range(len(centres))])


def find_cluster(tree: ClusterTree, path: ClusterPath) -> Cluster:
    """Give the cluster at that path.

    Raises KeyError where there is none.
    """
    level = tree
    for depth, part in enumerate(path, start=1):
        if not 0 <= part < len(level):
            raise KeyError(path[:depth])
        cluster, level = level[part], level[part].children
    return cluster


def with_children(tree: ClusterTree, path: ClusterPath, children: ClusterTree) -> ClusterTree:
    """Give a new tree in which the cluster at that path has these children; the old tree stays as it is."""
    part, rest = path[0], path[1:]
    old = tree[part]
    new = replace(old, children=with_children(old.children, rest, children) if rest else children)
    return (*tree[:part], new, *tree[part + 1 :])


def walk(tree: ClusterTree) -> Iterator[Cluster]:
    """Go through all clusters in reading order, each before its parts."""
    for cluster in tree:
        yield cluster
        yield from walk(cluster.children)


def iter_leaves(tree: ClusterTree) -> Iterator[Cluster]:
    """Go through the clusters that are not split."""
    return (cluster for cluster in walk(tree) if not cluster.children)


def build_clusters(
    latents: LatentVectors,
    members: Indices,
    assignments: NDArray[np.int32],
    centres: LatentVectors,
    centre_images: Pixels,
    parent_path: ClusterPath = (),
) -> ClusterTree:
    """Make sibling clusters from the assignment of members to centres.

    `latents` [N, z_dim] holds the place of every image; `near` [M] names the centre of each of the `members` [M], or
    is ASIDE; `centres` [K, z_dim]; `pictures` [K, H, W] are the decoded centres.
    """
    import numpy as np

    tree = []
    for part, (centre, picture) in enumerate(zip(centres, centre_images, strict=True)):
        own = members[assignments == part]
        distances = np.linalg.norm(latents[own] - centre, axis=1)
        order = np.argsort(distances, kind="stable")
        tree.append(Cluster((*parent_path, part), centre, picture, own[order], distances[order].astype(np.float32)))
    return tuple(tree)

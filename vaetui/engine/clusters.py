"""Clusters as an immutable tree, and the distance metric of the latent space.

The user interface imports this module before it shows the first screen, so functions import numpy themselves.
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
"""Indices of images in the training set, [N]."""
Pixels: TypeAlias = "NDArray[np.uint8]"
"""Images, 0 to 255: [N, H, W] in grey, [N, H, W, 3] in colour. Docstrings state the shape of grey images."""
MAX_CLUSTERS = 1_000
"""Most clusters of a round and most parts of a split: more than anyone would answer."""
CENTRE_TOLERANCE = 1e-5
"""Distance, relative to the length of the centre, up to which a member differs from the centre by rounding only."""
NOT_QUERIED = -1
"""Assignment of an image that belongs to no cluster of the round."""


@dataclass(frozen=True, slots=True, eq=False)
class CentrePictures:
    """What a person sees of K clusters."""

    centre_images: Pixels
    """Decoded centres, or the nearest images, [K, H, W]."""
    mean_images: Pixels
    """Means of the nearest members, [K, H, W]."""


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """A set of images that are near each other in the latent space."""

    path: ClusterPath
    """Position in the tree."""
    centre: NDArray[np.float32]
    """Mean of the members' latent vectors, [z_dim]."""
    centre_image: Pixels
    """Decoded centre, or the nearest image if centres are not decoded, [H, W]."""
    mean_image: Pixels
    """Mean of the nearest members, [H, W]."""
    members: Indices
    """Images of the cluster, nearest to the centre first, [M]."""
    distances: NDArray[np.float32]
    """Euclidean distances of the members to the centre, ascending, [M]."""
    children: tuple[Cluster, ...] = ()
    """Sub-clusters after a split."""

    @property
    def mean_distance(self) -> float:
        """Mean Euclidean distance of the members to the centre."""
        return float(self.distances.mean()) if len(self.distances) else 0.0


ClusterTree: TypeAlias = tuple[Cluster, ...]
"""The clusters of one round, with their sub-clusters."""


def to_metric_space(latents: LatentVectors, distance_metric: DistanceMetric) -> LatentVectors:
    """Return vectors [N, z_dim] whose Euclidean distances follow the metric: for "cosine", vectors of length 1."""
    import numpy as np

    if distance_metric == "euclidean":
        return latents
    lengths = np.linalg.norm(latents, axis=1, keepdims=True)
    directions: LatentVectors = latents / np.maximum(lengths, 1e-12).astype(np.float32)
    return directions


def average_members(latents: LatentVectors, assignments: NDArray[np.int32], cluster_count: int) -> LatentVectors:
    """Return the mean latent vectors of the members of each cluster, [K, z_dim]."""
    import numpy as np

    return np.stack([latents[assignments == index].mean(axis=0) for index in range(cluster_count)])


def find_cluster(tree: ClusterTree, path: ClusterPath) -> Cluster:
    """Return the cluster at a path; raises KeyError if there is none."""
    siblings = tree
    for depth, index in enumerate(path, start=1):
        if not 0 <= index < len(siblings):
            raise KeyError(path[:depth])
        cluster, siblings = siblings[index], siblings[index].children
    return cluster


def with_children(tree: ClusterTree, path: ClusterPath, children: ClusterTree) -> ClusterTree:
    """Return a new tree in which the cluster at `path` has these children."""
    index, rest = path[0], path[1:]
    cluster = tree[index]
    changed = replace(cluster, children=with_children(cluster.children, rest, children) if rest else children)
    return (*tree[:index], changed, *tree[index + 1 :])


def iter_clusters(tree: ClusterTree) -> Iterator[Cluster]:
    """Yield all clusters, each before its children."""
    for cluster in tree:
        yield cluster
        yield from iter_clusters(cluster.children)


def iter_leaves(tree: ClusterTree) -> Iterator[Cluster]:
    """Yield the clusters that are not split."""
    return (cluster for cluster in iter_clusters(tree) if not cluster.children)


def build_clusters(
    embeddings: LatentVectors,
    members: Indices,
    assignments: NDArray[np.int32],
    centres: LatentVectors,
    pictures: CentrePictures,
    parent_path: ClusterPath = (),
) -> ClusterTree:
    """Return sibling clusters for an assignment of M images to centres.

    `embeddings` [M, z_dim] are those of the `members` [M], and `assignments` [M] the indices of their centres or
    NOT_QUERIED; `centres` [K, z_dim] are in the same space, and `pictures` are theirs.
    """
    positions, distances = order_members(embeddings, assignments, centres)
    return divide_members(members[positions], distances, assignments[positions], centres, pictures, parent_path)


def order_members(
    embeddings: LatentVectors, assignments: NDArray[np.int32], centres: LatentVectors
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the Q members of all clusters with their distances, 2 x [Q]: cluster by cluster, nearest first.

    `assignments` [N] contains for each image the index of its centre or NOT_QUERIED; `embeddings` [N, z_dim] are in the
    space of the `centres` [K, z_dim].
    """
    import numpy as np

    count = int(np.count_nonzero(assignments != NOT_QUERIED))
    members, distances, start = np.empty(count, np.int32), np.empty(count, np.float32), 0
    for index, centre in enumerate(centres):
        own_members, own_distances = sort_members(embeddings, np.flatnonzero(assignments == index), centre)
        part = slice(start, start + len(own_members))
        members[part], distances[part], start = own_members, own_distances, part.stop
    return members, distances


def divide_members(
    members: Indices,
    distances: NDArray[np.float32],
    assignments: NDArray[np.int32],
    centres: LatentVectors,
    pictures: CentrePictures,
    parent_path: ClusterPath = (),
) -> ClusterTree:
    """Return sibling clusters with Q members in the order of `order_members`; all arrays but the last two are [Q]."""
    import numpy as np

    ends = np.cumsum(np.bincount(assignments, minlength=len(centres))).tolist()
    parts = map(slice, [0, *ends[:-1]], ends)
    images = zip(pictures.centre_images, pictures.mean_images, strict=True)
    return tuple(
        Cluster((*parent_path, index), centre, *centre_and_mean_image, members[part], distances[part])
        for index, (centre, centre_and_mean_image, part) in enumerate(zip(centres, images, parts, strict=True))
    )


def sort_members(
    latents: LatentVectors, members: Indices, centre: NDArray[np.float32]
) -> tuple[Indices, NDArray[np.float32]]:
    """Return members of a cluster, nearest to its centre [z_dim] first, with their distances, 2 x [M]."""
    import numpy as np

    distances = np.linalg.norm(latents[members] - centre, axis=1)
    order = np.argsort(distances, kind="stable")
    return members[order], distances[order].astype(np.float32)


def list_members_at_centre(cluster: Cluster) -> Indices:
    """Return the members whose distance to the centre is 0 but for rounding, [<= M]."""
    import numpy as np

    max_distance = CENTRE_TOLERANCE * float(np.linalg.norm(cluster.centre))
    return cluster.members[: int(np.searchsorted(cluster.distances, max_distance, side="right"))]

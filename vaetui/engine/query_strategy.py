"""Query strategies: the clusters that a round asks about."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import NOT_QUERIED, Indices, LatentVectors
from vaetui.engine.config import ClusterConfig
from vaetui.engine.events import Progress
from vaetui.engine.kmeans import Partition, VectorWeights, run_kmeans
from vaetui.engine.slow_calls import run_in_background

if TYPE_CHECKING:
    import torch

KMEANS_RUNS = 3
"""k-means runs of a round; the best counts."""
MIN_IMAGES_PER_CLUSTER = 10
"""Fewest uncertain images per cluster asked about, and fewest images per cluster that is added for more classes."""
MIN_UNCERTAIN_FRACTION = 0.03
"""Smallest share of the images that count as uncertain, however sure the labels are."""
MAX_CLUSTERS_PER_ROUND = 256
"""Most clusters that a round gets because of the number of classes: more than anyone answers in a round."""


def count_clusters(config: ClusterConfig, class_count: int, image_count: int) -> int | None:
    """Return the number of clusters of a round for so many classes and distinct images; None for the elbow method.

    With more classes than clusters, some classes have no cluster of their own, and most clusters mix several.
    """
    if config.clusters is None:
        return None
    wanted = math.ceil(config.clusters_per_class * class_count)
    wanted = min(wanted, MAX_CLUSTERS_PER_ROUND, image_count // MIN_IMAGES_PER_CLUSTER)
    return min(max(config.clusters, wanted), image_count)


def cluster_all_images(
    vectors: LatentVectors,
    k: int,
    seed: int,
    weights: VectorWeights | None = None,
    device: torch.device | None = None,
) -> Generator[Progress, None, Partition]:
    """Cluster all images, [N, z_dim], into at most k clusters; yields Progress and returns a Partition.

    `weights` [N] are the numbers of copies of the images; None if there are no copies. Large sets are assigned to
    clusters on the `device`.
    """
    return (yield from run_kmeans(vectors, k, KMEANS_RUNS, seed, weights, device))


def compute_uncertain_fraction(config: ClusterConfig, mean_uncertainty: float, *, has_unanswered_class: bool) -> float:
    """Return the share of the images that count as uncertain."""
    if not config.uncertainty_factor:
        return config.uncertain_fraction
    # The networks are sure of a wrong class for the images of a class without an answer.
    minimum = config.uncertain_fraction if has_unanswered_class else MIN_UNCERTAIN_FRACTION
    return min(max(config.uncertainty_factor * mean_uncertainty, minimum), 1.0)


def cluster_uncertain_images(
    vectors: LatentVectors,
    uncertainties: NDArray[np.float32],
    is_answered: NDArray[np.bool_],
    k: int,
    config: ClusterConfig,
    seed: int,
    weights: VectorWeights | None = None,
    device: torch.device | None = None,
    *,
    has_unanswered_class: bool,
) -> Generator[Progress, None, Partition]:
    """Cluster the images with the largest uncertainties [N], and keep the k clusters with the largest sums.

    Images that are answered, [N], are certain and left out, unless all are. `weights` [N] are the numbers of copies of
    the images; None if there are no copies. Yields Progress and returns a Partition, in which all other images are
    NOT_QUERIED.
    """
    uncertainties = np.where(is_answered, np.float32(0), uncertainties)
    mean_uncertainty = float(uncertainties.mean())
    fraction = compute_uncertain_fraction(config, mean_uncertainty, has_unanswered_class=has_unanswered_class)
    available = int(np.count_nonzero(~is_answered)) or len(vectors)
    count = min(available, max(round(fraction * len(vectors)), MIN_IMAGES_PER_CLUSTER * k))

    def select() -> tuple[Indices, LatentVectors]:
        order = np.argsort(np.where(is_answered, np.float32(1), -uncertainties), kind="stable")  # answered images last
        images = np.sort(order[:count])
        return images, vectors[images]

    uncertain, uncertain_vectors = yield from run_in_background("selecting uncertain images", select)
    fine_k = min(k * config.oversample, count)
    uncertain_weights = None if weights is None else weights[uncertain]
    fine_assignments, centres = yield from run_kmeans(
        uncertain_vectors, fine_k, KMEANS_RUNS, seed, uncertain_weights, device
    )
    weighted_uncertainties = uncertainties if weights is None else uncertainties * weights
    sums = np.bincount(fine_assignments, weights=weighted_uncertainties[uncertain])
    queried = np.sort(np.argsort(-sums, kind="stable")[:k])
    new_indices = np.full(len(centres), NOT_QUERIED, np.int32)
    new_indices[queried] = np.arange(len(queried))
    assignments = np.full(len(vectors), NOT_QUERIED, np.int32)
    assignments[uncertain] = new_indices[fine_assignments]
    return assignments, centres[queried]

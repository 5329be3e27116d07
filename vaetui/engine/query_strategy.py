"""Which images a round asks about, as clusters; it does not know how they are shown."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import NOT_QUERIED, LatentVectors
from vaetui.engine.config import ClusterConfig
from vaetui.engine.events import Progress
from vaetui.engine.kmeans import Partition, run_kmeans

KMEANS_RUNS = 3
"""k-means runs of a round, of which the best counts."""
MIN_IMAGES_PER_CLUSTER = 10
"""Images for each cluster, at least, among the doubtful."""


def cluster_all(vectors: LatentVectors, k: int, seed: int) -> Generator[Progress, None, Partition]:
    """Cut all images, [N, z_dim], into at most k clusters; yields its progress."""
    return (yield from run_kmeans(vectors, k, KMEANS_RUNS, seed))


def cluster_uncertain(
    vectors: LatentVectors, uncertainties: NDArray[np.float32], k: int, config: ClusterConfig, seed: int
) -> Generator[Progress, None, Partition]:
    """Cut the images with most doubt [N] into fine clusters, and keep the k that hold most of it; others are ASIDE.

    Yields its progress.
    """
    count = min(len(vectors), max(round(config.uncertain_fraction * len(vectors)), MIN_IMAGES_PER_CLUSTER * k))
    chosen = np.sort(np.argsort(-uncertainties, kind="stable")[:count])
    near, centres = yield from run_kmeans(vectors[chosen], min(k * config.oversample, count), KMEANS_RUNS, seed)
    masses = np.bincount(near, weights=uncertainties[chosen])
    kept = np.sort(np.argsort(-masses, kind="stable")[:k])
    renamed = np.full(len(centres), NOT_QUERIED, np.int32)
    renamed[kept] = np.arange(len(kept))
    everyone = np.full(len(vectors), NOT_QUERIED, np.int32)
    everyone[chosen] = renamed[near]
    return everyone, centres[kept]

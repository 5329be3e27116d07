"""Which images a round asks about, as clusters; it does not know how they are shown."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import ASIDE, Vectors
from vaetui.engine.config import ClusterConfig
from vaetui.engine.events import Progressed
from vaetui.engine.kmeans import Cut, partition

STARTS = 3
"""k-means runs of a round, of which the best counts."""
LEAST = 10
"""Images for each cluster, at least, among the doubtful."""


def typical(places: Vectors, k: int, seed: int) -> Generator[Progressed, None, Cut]:
    """Cut all images, [N, z_dim], into at most k clusters; yields its progress."""
    return (yield from partition(places, k, STARTS, seed))


def doubtful(
    places: Vectors, doubts: NDArray[np.float32], k: int, config: ClusterConfig, seed: int
) -> Generator[Progressed, None, Cut]:
    """Cut the images with most doubt [N] into fine clusters, and keep the k that hold most of it; others are ASIDE.

    Yields its progress.
    """
    count = min(len(places), max(round(config.doubtful * len(places)), LEAST * k))
    chosen = np.sort(np.argsort(-doubts, kind="stable")[:count])
    near, centres = yield from partition(places[chosen], min(k * config.finer, count), STARTS, seed)
    masses = np.bincount(near, weights=doubts[chosen])
    kept = np.sort(np.argsort(-masses, kind="stable")[:k])
    renamed = np.full(len(centres), ASIDE, np.int32)
    renamed[kept] = np.arange(len(kept))
    everyone = np.full(len(places), ASIDE, np.int32)
    everyone[chosen] = renamed[near]
    return everyone, centres[kept]

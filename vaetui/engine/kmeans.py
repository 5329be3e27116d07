"""Latent vectors are cut into clusters: k-means, the elbow; it does not know images or answers."""

from __future__ import annotations

import warnings
from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from vaetui.engine import draws
from vaetui.engine.clusters import Vectors
from vaetui.engine.config import ClusterConfig
from vaetui.engine.events import Progressed


def partition(latents: Vectors, k: int, starts: int, seed: int) -> tuple[NDArray[np.int32], Vectors, float]:
    """Cut latent vectors [N, z_dim] into k clusters by k-means with k-means++ starts, the best of `starts` runs.

    Gives the place of each vector's centre [N], the centres [<= k, z_dim] and the inertia; where fewer than k
    vectors differ there are fewer centres, none without a vector. One thread only: with more, the order of the
    sums, and so the last bits, would change from run to run.
    """
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # too few different vectors, which is dealt with here
        means = KMeans(k, n_init=starts, random_state=seed).fit(latents)
    used, near = np.unique(means.labels_, return_inverse=True)
    return near.astype(np.int32), means.cluster_centers_[used].astype(np.float32), float(means.inertia_)


def elbow(
    latents: Vectors, config: ClusterConfig, seed: int
) -> Generator[Progressed, None, tuple[int, tuple[tuple[int, float], ...]]]:
    """Look for the k after which more clusters gain little, on a seeded sample of the vectors.

    Yields its progress and returns k, at least `config.floor`, with the inertia of every k tried. The elbow is
    the point farthest below the chord of the curve, both axes scaled to 1 (Satopaa et al. 2011, "Kneedle").
    """
    chosen = draws.generator(seed, "elbow").permutation(len(latents))[: config.sample]
    sample = latents[np.sort(chosen)]
    most = min(config.cap, len(sample))
    tried: list[tuple[int, float]] = []
    for k in range(min(config.least, most), most + 1):
        tried.append((k, partition(sample, k, 1, draws.integer(seed, "elbow", k))[2]))
        yield Progressed("looking for the elbow", k - config.least + 1, most - config.least + 1)
    return max(bend(tried), min(config.floor, most)), tuple(tried)


def bend(tried: list[tuple[int, float]]) -> int:
    """Give the k of a falling curve (k, inertia) that lies farthest below the chord between its ends."""
    ks, inertias = np.array(tried, dtype=float).T
    if len(ks) < 3 or inertias[0] <= inertias[-1]:
        return int(ks[0])
    across = (ks - ks[0]) / (ks[-1] - ks[0])
    down = (inertias - inertias[-1]) / (inertias[0] - inertias[-1])
    return int(ks[np.argmax(1 - across - down)])

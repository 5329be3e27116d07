"""Latent vectors are cut into clusters: k-means, the elbow; it does not know images or answers."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from vaetui.engine import rng
from vaetui.engine.clusters import LatentVectors
from vaetui.engine.config import ClusterConfig
from vaetui.engine.events import Progress

MAX_FIT_VECTORS = 100_000
"""Vectors from which centres are learned, at most: so learning takes no longer for a million than for these."""
CHUNK_VECTORS = 1 << 16
"""Vectors whose centre is looked for at a time."""
Partition: TypeAlias = "tuple[NDArray[np.int32], LatentVectors]"
"""The place of each vector's centre, [N], and the centres, [<= k, z_dim]."""


def run_kmeans(latents: LatentVectors, k: int, n_init: int, seed: int) -> Generator[Progress, None, Partition]:
    """Cut latent vectors [N, z_dim] into k clusters by k-means with k-means++ starts, the best of `starts` runs.

    Yields its progress. Where fewer than k vectors differ there are fewer centres, none without a vector; of many
    vectors a seeded sample is learned from, and the others go to the nearest centre.
    """
    what, count = f"cutting into {k} clusters", len(latents)
    sample = latents
    if count > MAX_FIT_VECTORS:
        sample = latents[np.sort(rng.derive_generator(seed, "k-means").permutation(count)[:MAX_FIT_VECTORS])]
    state, found = np.random.RandomState(seed), list[KMeans]()
    for start in range(n_init):
        yield Progress(what, start, n_init)
        found.append(_fit_kmeans(sample, k, state))
    best = min(found, key=lambda means: float(means.inertia_))
    labels = best.labels_
    if count > MAX_FIT_VECTORS:
        pieces = []
        for begin in range(0, count, CHUNK_VECTORS):
            yield Progress(what, begin, count)
            with threadpool_limits(limits=1):
                pieces.append(best.predict(latents[begin : begin + CHUNK_VECTORS]))
        labels = np.concatenate(pieces)
    used, near = np.unique(labels, return_inverse=True)
    return near.astype(np.int32), best.cluster_centers_[used].astype(np.float32)


def choose_k(
    latents: LatentVectors, config: ClusterConfig, seed: int
) -> Generator[Progress, None, tuple[int, tuple[tuple[int, float], ...]]]:
    """Look for the k after which more clusters gain little, on a seeded sample of the vectors.

    Yields its progress and returns k, at least `config.floor`, with the inertia of every k tried. The elbow is
    the point farthest below the chord of the curve, both axes scaled to 1 (Satopaa et al. 2011, "Kneedle").
    """
    chosen = rng.derive_generator(seed, "elbow").permutation(len(latents))[: config.elbow_sample_size]
    sample = latents[np.sort(chosen)]
    most = min(config.max_clusters, len(sample))
    tried: list[tuple[int, float]] = []
    for k in range(min(config.elbow_first_k, most), most + 1):
        state = np.random.RandomState(rng.derive_seed(seed, "elbow", k))
        tried.append((k, float(_fit_kmeans(sample, k, state).inertia_)))
        yield Progress("looking for the elbow", k - config.elbow_first_k + 1, most - config.elbow_first_k + 1)
    return max(find_elbow(tried), min(config.min_clusters, most)), tuple(tried)


def _fit_kmeans(latents: LatentVectors, k: int, random_state: np.random.RandomState) -> KMeans:
    """Learn k centres from one k-means++ start.

    One thread only: with more, the order of the sums, and so the last bits, would change from run to run.
    """
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # too few different vectors: who asks sees that
        return KMeans(k, n_init=1, random_state=random_state).fit(latents)


def find_elbow(curve: list[tuple[int, float]]) -> int:
    """Give the k of a falling curve (k, inertia) that lies farthest below the chord between its ends."""
    ks, inertias = np.array(curve, dtype=float).T
    if len(ks) < 3 or inertias[0] <= inertias[-1]:
        return int(ks[0])
    across = (ks - ks[0]) / (ks[-1] - ks[0])
    down = (inertias - inertias[-1]) / (inertias[0] - inertias[-1])
    return int(ks[np.argmax(1 - across - down)])

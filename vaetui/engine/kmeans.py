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
from vaetui.engine.clusters import Vectors
from vaetui.engine.config import ClusterConfig
from vaetui.engine.events import Progressed

SAMPLE = 100_000
"""Vectors from which centres are learned, at most: so learning takes no longer for a million than for these."""
PIECE = 1 << 16
"""Vectors whose centre is looked for at a time."""
Cut: TypeAlias = "tuple[NDArray[np.int32], Vectors]"
"""The place of each vector's centre, [N], and the centres, [<= k, z_dim]."""


def partition(latents: Vectors, k: int, starts: int, seed: int) -> Generator[Progressed, None, Cut]:
    """Cut latent vectors [N, z_dim] into k clusters by k-means with k-means++ starts, the best of `starts` runs.

    Yields its progress. Where fewer than k vectors differ there are fewer centres, none without a vector; of many
    vectors a seeded sample is learned from, and the others go to the nearest centre.
    """
    what, count = f"cutting into {k} clusters", len(latents)
    sample = latents
    if count > SAMPLE:
        sample = latents[np.sort(rng.generator(seed, "k-means").permutation(count)[:SAMPLE])]
    state, found = np.random.RandomState(seed), list[KMeans]()
    for start in range(starts):
        yield Progressed(what, start, starts)
        found.append(_means(sample, k, state))
    best = min(found, key=lambda means: float(means.inertia_))
    labels = best.labels_
    if count > SAMPLE:
        pieces = []
        for begin in range(0, count, PIECE):
            yield Progressed(what, begin, count)
            with threadpool_limits(limits=1):
                pieces.append(best.predict(latents[begin : begin + PIECE]))
        labels = np.concatenate(pieces)
    used, near = np.unique(labels, return_inverse=True)
    return near.astype(np.int32), best.cluster_centers_[used].astype(np.float32)


def elbow(
    latents: Vectors, config: ClusterConfig, seed: int
) -> Generator[Progressed, None, tuple[int, tuple[tuple[int, float], ...]]]:
    """Look for the k after which more clusters gain little, on a seeded sample of the vectors.

    Yields its progress and returns k, at least `config.floor`, with the inertia of every k tried. The elbow is
    the point farthest below the chord of the curve, both axes scaled to 1 (Satopaa et al. 2011, "Kneedle").
    """
    chosen = rng.generator(seed, "elbow").permutation(len(latents))[: config.sample]
    sample = latents[np.sort(chosen)]
    most = min(config.cap, len(sample))
    tried: list[tuple[int, float]] = []
    for k in range(min(config.least, most), most + 1):
        state = np.random.RandomState(rng.integer(seed, "elbow", k))
        tried.append((k, float(_means(sample, k, state).inertia_)))
        yield Progressed("looking for the elbow", k - config.least + 1, most - config.least + 1)
    return max(bend(tried), min(config.floor, most)), tuple(tried)


def _means(latents: Vectors, k: int, state: np.random.RandomState) -> KMeans:
    """Learn k centres from one k-means++ start.

    One thread only: with more, the order of the sums, and so the last bits, would change from run to run.
    """
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # too few different vectors: who asks sees that
        return KMeans(k, n_init=1, random_state=state).fit(latents)


def bend(tried: list[tuple[int, float]]) -> int:
    """Give the k of a falling curve (k, inertia) that lies farthest below the chord between its ends."""
    ks, inertias = np.array(tried, dtype=float).T
    if len(ks) < 3 or inertias[0] <= inertias[-1]:
        return int(ks[0])
    across = (ks - ks[0]) / (ks[-1] - ks[0])
    down = (inertias - inertias[-1]) / (inertias[0] - inertias[-1])
    return int(ks[np.argmax(1 - across - down)])

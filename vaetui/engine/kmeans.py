"""Reproducible k-means, and the elbow method that chooses k."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from vaetui.engine import rng
from vaetui.engine.clusters import LatentVectors
from vaetui.engine.config import ClusterConfig
from vaetui.engine.events import Progress
from vaetui.engine.slow_calls import run_in_background

if TYPE_CHECKING:
    import torch

MAX_FIT_VECTORS = 100_000
"""Most vectors that centres are fitted to, so that a million vectors take no longer to fit."""
CHUNK_VECTORS = 1 << 16
"""Vectors assigned to centres at a time."""
Partition: TypeAlias = "tuple[NDArray[np.int32], LatentVectors]"
"""Index of the centre of each vector, [N], and centres, [<= k, z_dim]."""
VectorWeights: TypeAlias = "NDArray[np.float32]"
"""Number of equal vectors that each vector stands for, [N]."""


def run_kmeans(
    latents: LatentVectors,
    k: int,
    n_init: int,
    seed: int,
    weights: VectorWeights | None = None,
    device: torch.device | None = None,
) -> Generator[Progress, None, Partition]:
    """Cluster latent vectors [N, z_dim] by k-means: the best of `n_init` runs with k-means++ initialisation.

    A vector with a weight of 3 counts as three equal vectors. Yields Progress and returns a Partition. If fewer than k
    vectors differ, there are fewer centres; every centre has at least one vector. With more than MAX_FIT_VECTORS
    vectors, centres are fitted to a seeded sample and all vectors are assigned to the nearest one, on `device` if it
    is an accelerator.
    """
    activity, count = f"clustering into {k} clusters", len(latents)
    sample, sample_weights = latents, weights
    if count > MAX_FIT_VECTORS:
        indices = np.sort(rng.derive_generator(seed, "k-means").permutation(count)[:MAX_FIT_VECTORS])
        sample, sample_weights = latents[indices], None if weights is None else weights[indices]
    random_state, runs = np.random.RandomState(seed), list[KMeans]()
    for run_index in range(n_init):
        yield Progress(activity, run_index, n_init)
        fit = partial(_fit_kmeans, sample, k, random_state, sample_weights)
        runs.append((yield from run_in_background(activity, fit)))
    best = min(runs, key=lambda run: float(run.inertia_))
    labels = best.labels_
    if count > MAX_FIT_VECTORS and device is not None and device.type != "cpu":
        from vaetui.engine.device_search import assign_to_centres  # imports torch

        labels = yield from assign_to_centres(latents, best.cluster_centers_, device, activity)
    elif count > MAX_FIT_VECTORS:
        chunks = []
        for start in range(0, count, CHUNK_VECTORS):
            yield Progress(activity, start, count)
            with threadpool_limits(limits=1):
                chunks.append(best.predict(latents[start : start + CHUNK_VECTORS]))
        labels = np.concatenate(chunks)
    nonempty = np.flatnonzero(np.bincount(labels, minlength=k))
    new_indices = np.zeros(k, np.int32)
    new_indices[nonempty] = np.arange(len(nonempty))
    return new_indices[labels], best.cluster_centers_[nonempty].astype(np.float32)


def choose_k(
    latents: LatentVectors, config: ClusterConfig, seed: int, weights: VectorWeights | None = None
) -> Generator[Progress, None, tuple[int, tuple[tuple[int, float], ...]]]:
    """Choose k by the elbow method on a seeded sample of the vectors, [N, z_dim], with `weights` as in `run_kmeans`.

    Yields Progress and returns k, at least `config.min_clusters`, and the curve of (k, inertia). The elbow is the
    point farthest below the chord of the curve, with both axes scaled to 1 (Satopaa et al. 2011, "Kneedle").
    """
    indices = np.sort(rng.derive_generator(seed, "elbow").permutation(len(latents))[: config.elbow_sample_size])
    sample, sample_weights = latents[indices], None if weights is None else weights[indices]
    max_k = min(config.max_clusters, len(sample))
    first_k = min(config.elbow_first_k, max_k)
    curve: list[tuple[int, float]] = []
    for k in range(first_k, max_k + 1):
        random_state = np.random.RandomState(rng.derive_seed(seed, "elbow", k))
        curve.append((k, float(_fit_kmeans(sample, k, random_state, sample_weights).inertia_)))
        yield Progress("choosing the number of clusters", k - first_k + 1, max_k - first_k + 1)
    return max(find_elbow(curve), min(config.min_clusters, max_k)), tuple(curve)


def _fit_kmeans(
    latents: LatentVectors, k: int, random_state: np.random.RandomState, weights: VectorWeights | None
) -> KMeans:
    """Fit k centres from one k-means++ initialisation.

    One thread only: with more, the order of floating-point sums and so the last bits would vary between runs.
    """
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer than k distinct vectors; run_kmeans handles it
        return KMeans(k, n_init=1, random_state=random_state).fit(latents, sample_weight=weights)


def find_elbow(curve: list[tuple[int, float]]) -> int:
    """Return the k of a falling curve (k, inertia) that lies farthest below the chord between its ends."""
    ks, inertias = np.array(curve, dtype=float).T
    if len(ks) < 3 or inertias[0] <= inertias[-1]:
        return int(ks[0])
    scaled_ks = (ks - ks[0]) / (ks[-1] - ks[0])
    scaled_inertias = (inertias - inertias[-1]) / (inertias[0] - inertias[-1])
    return int(ks[np.argmax(1 - scaled_ks - scaled_inertias)])

"""Clusterings of random vectors for tests."""

from __future__ import annotations

import numpy as np

from vaetui.engine.clusters import (
    CentrePictures,
    ClusterTree,
    LatentVectors,
    build_clusters,
    find_cluster,
    with_children,
)
from vaetui.engine.kmeans import run_kmeans
from vaetui.runtime.session_runner import drain_events


def cluster_randomly(seed: int, count: int, k: int) -> tuple[LatentVectors, ClusterTree]:
    latents = np.random.default_rng(seed).standard_normal((count, 4)).astype(np.float32)
    assignments, centres = drain_events(run_kmeans(latents, k, 1, seed))
    return latents, build_clusters(latents, np.arange(count), assignments, centres, draw_black_centres(k))


def draw_black_centres(k: int) -> CentrePictures:
    images = np.zeros((k, 8, 8), np.uint8)
    return CentrePictures(images, images)


def split_cluster(latents: LatentVectors, tree: ClusterTree, path: tuple[int, ...], k: int, seed: int) -> ClusterTree:
    members = find_cluster(tree, path).members
    assignments, centres = drain_events(run_kmeans(latents[members], k, 1, seed))
    children = build_clusters(latents[members], members, assignments, centres, draw_black_centres(k), path)
    return with_children(tree, path, children)

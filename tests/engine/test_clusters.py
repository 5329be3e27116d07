"""Tests of the cluster tree and the distance metrics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.random_clusters import cluster_randomly, draw_black_centres, split_cluster
from vaetui.engine.clusters import (
    NOT_QUERIED,
    Cluster,
    average_members,
    divide_members,
    find_cluster,
    iter_clusters,
    iter_leaves,
    list_members_at_centre,
    order_members,
    to_metric_space,
)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 99), k=st.integers(2, 6), parts=st.integers(2, 5), subparts=st.integers(2, 3))
def test_repeated_splits_keep_every_member_once(seed: int, k: int, parts: int, subparts: int) -> None:
    latents, tree = cluster_randomly(seed, 200, k)
    largest = max(tree, key=lambda cluster: len(cluster.members))
    split_once = split_cluster(latents, tree, largest.path, parts, seed)
    child = max(find_cluster(split_once, largest.path).children, key=lambda cluster: len(cluster.members))
    split_twice = split_cluster(latents, split_once, child.path, subparts, seed)
    for current in (tree, split_once, split_twice):
        members = np.concatenate([cluster.members for cluster in iter_leaves(current)])
        assert sorted(members) == list(range(200))
    assert sum(1 for _ in iter_leaves(split_twice)) == k - 1 + parts - 1 + subparts


def test_split_leaves_the_old_tree_unchanged() -> None:
    latents, tree = cluster_randomly(0, 100, 3)
    split = split_cluster(latents, tree, (1,), 4, 0)
    assert not find_cluster(tree, (1,)).children
    assert [cluster.path for cluster in iter_clusters(split)] == [(0,), (1,), (1, 0), (1, 1), (1, 2), (1, 3), (2,)]


def test_finding_a_missing_cluster_raises_key_error() -> None:
    latents, tree = cluster_randomly(0, 100, 3)
    with pytest.raises(KeyError):
        find_cluster(split_cluster(latents, tree, (1,), 4, 0), (1, 4))


def test_members_are_sorted_by_distance_to_the_centre() -> None:
    latents, tree = cluster_randomly(2, 150, 4)
    for cluster in tree:
        expected = np.linalg.norm(latents[cluster.members] - cluster.centre, axis=1)
        assert np.allclose(cluster.distances, expected)
        assert np.all(np.diff(cluster.distances) >= 0)
        assert np.isclose(cluster.mean_distance, expected.mean())


def test_members_in_one_order_are_divided_into_the_same_clusters() -> None:
    latents, tree = cluster_randomly(2, 150, 4)
    assignments = np.full(150, NOT_QUERIED, np.int32)
    for cluster in tree[:3]:
        assignments[cluster.members] = cluster.path[0]
    centres = np.stack([cluster.centre for cluster in tree[:3]])
    members, distances = order_members(latents, assignments, centres)
    assert members.dtype == np.int32
    assert distances.dtype == np.float32
    divided = divide_members(members.astype(np.int64), distances, assignments[members], centres, draw_black_centres(3))
    assert len(divided) == 3
    for cluster, expected in zip(divided, tree, strict=False):
        assert cluster.path == expected.path
        assert cluster.members.tolist() == expected.members.tolist()
        assert cluster.distances.tolist() == expected.distances.tolist()


def test_cosine_metric_scales_vectors_to_length_1() -> None:
    latents = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]], np.float32)
    assert to_metric_space(latents, "euclidean") is latents
    assert np.allclose(to_metric_space(latents, "cosine"), [[0.6, 0.8], [0.6, 0.8], [0.0, 0.0]])


def test_members_of_each_cluster_are_averaged() -> None:
    latents = np.array([[2.0, 0.0], [4.0, 0.0], [0.0, 6.0], [9.0, 9.0]], np.float32)
    assignments = np.array([0, 0, 1, NOT_QUERIED], np.int32)
    assert average_members(latents, assignments, 2).tolist() == [[3, 0], [0, 6]]


@pytest.mark.parametrize("length", [1e-3, 1.0, 300.0])
def test_members_at_the_centre_are_those_that_differ_by_rounding(length: float) -> None:
    centre = np.array([0.6 * length, 0.8 * length], np.float32)
    distances = (length * np.array([0, 1e-7, 1e-6, 1e-3, 0.1])).astype(np.float32)
    image = np.zeros((8, 8), np.uint8)
    cluster = Cluster((0,), centre, image, image, np.array([4, 2, 9, 1, 0]), distances)
    assert list_members_at_centre(cluster).tolist() == [4, 2, 9]

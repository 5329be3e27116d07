"""Clusters are cut, and cut again, and lose nobody."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaetui.runtime.runner import drain
from vaetui.engine import kmeans
from vaetui.engine.clusters import ClusterTree, build_clusters, find_cluster, iter_leaves, walk, with_children
from vaetui.engine.config import ClusterConfig
from vaetui.engine.kmeans import choose_k, find_elbow, run_kmeans


def clustering(seed: int, count: int, k: int) -> tuple[np.ndarray, ClusterTree]:
    latents = np.random.default_rng(seed).standard_normal((count, 4)).astype(np.float32)
    near, centres = drain(run_kmeans(latents, k, 1, seed))
    return latents, build_clusters(latents, np.arange(count), near, centres, np.zeros((k, 8, 8), np.uint8))


def cut(latents: np.ndarray, tree: ClusterTree, path: tuple[int, ...], k: int, seed: int) -> ClusterTree:
    members = find_cluster(tree, path).members
    near, centres = drain(run_kmeans(latents[members], k, 1, seed))
    return with_children(
        tree, path, build_clusters(latents, members, near, centres, np.zeros((k, 8, 8), np.uint8), path)
    )


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 99), k=st.integers(2, 6), parts=st.integers(2, 5), deep=st.integers(2, 3))
def test_splitting_keeps_every_member(seed: int, k: int, parts: int, deep: int) -> None:
    latents, tree = clustering(seed, 200, k)
    biggest = max(tree, key=lambda cluster: len(cluster.members))
    split = cut(latents, tree, biggest.path, parts, seed)
    child = max(find_cluster(split, biggest.path).children, key=lambda cluster: len(cluster.members))
    twice = cut(latents, split, child.path, deep, seed)
    for grown in (tree, split, twice):
        everyone = np.concatenate([cluster.members for cluster in iter_leaves(grown)])
        assert sorted(everyone) == list(range(200))
    assert sum(1 for _ in iter_leaves(twice)) == k - 1 + parts - 1 + deep


def test_a_split_leaves_the_old_tree_as_it_was() -> None:
    latents, tree = clustering(0, 100, 3)
    grown = cut(latents, tree, (1,), 4, 0)
    assert not find_cluster(tree, (1,)).children
    assert [cluster.path for cluster in walk(grown)] == [(0,), (1,), (1, 0), (1, 1), (1, 2), (1, 3), (2,)]
    with pytest.raises(KeyError):
        find_cluster(grown, (1, 4))


def test_members_come_nearest_first_with_their_distances() -> None:
    latents, tree = clustering(2, 150, 4)
    for cluster in tree:
        expected = np.linalg.norm(latents[cluster.members] - cluster.centre, axis=1)
        assert np.allclose(cluster.distances, expected)
        assert np.all(np.diff(cluster.distances) >= 0)
        assert np.isclose(cluster.mean_distance, expected.mean())


def test_clustering_gives_the_same_bits_again() -> None:
    latents = np.random.default_rng(5).standard_normal((5_000, 10)).astype(np.float32)
    first, second = (drain(run_kmeans(latents, 12, 3, 7)) for _ in range(2))
    assert np.array_equal(first[0], second[0])
    assert first[1].tobytes() == second[1].tobytes()


def test_of_many_vectors_some_are_learned_from_and_all_go_to_the_nearest_centre(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = np.random.default_rng(1)
    kinds = np.repeat(np.arange(5), 200)
    latents = (10 * np.eye(5)[kinds] + draw.normal(0, 0.1, (1_000, 5))).astype(np.float32)
    monkeypatch.setattr(kmeans, "MAX_FIT_VECTORS", 100)
    monkeypatch.setattr(kmeans, "CHUNK_VECTORS", 300)
    near, centres = drain(run_kmeans(latents, 5, 3, 7))
    assert len(np.unique(np.stack([near, kinds]), axis=1).T) == 5
    distances = np.linalg.norm(latents[:, None] - centres, axis=2)
    assert np.array_equal(distances.argmin(axis=1), near)
    assert [each.completed for each in run_kmeans(latents, 5, 3, 7)] == [0, 1, 2, 0, 300, 600, 900]


def test_the_elbow_is_where_the_curve_bends() -> None:
    assert find_elbow([(3, 100.0), (4, 60.0), (5, 20.0), (6, 15.0), (7, 12.0), (8, 10.0)]) == 5
    assert find_elbow([(3, 10.0), (4, 10.0), (5, 10.0)]) == 3


def test_well_separated_blobs_give_their_number_within_floor_and_cap() -> None:
    draw = np.random.default_rng(0)
    blobs = np.concatenate([draw.normal(10 * draw.standard_normal(6), 0.1, (60, 6)) for _ in range(8)])
    latents = blobs.astype(np.float32)

    def chosen(floor: int) -> int:
        looking = choose_k(latents, ClusterConfig(min_clusters=floor), 0)
        while True:
            try:
                assert next(looking).total == 14
            except StopIteration as end:
                k, tried = end.value
                assert [at for at, _ in tried] == list(range(3, 17))
                return int(k)

    assert chosen(floor=3) in (6, 7, 8, 9)
    assert chosen(floor=10) == 10

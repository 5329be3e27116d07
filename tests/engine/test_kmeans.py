"""Tests of k-means and the elbow method."""

from __future__ import annotations

import numpy as np
import pytest

from vaetui.engine import kmeans
from vaetui.engine.config import ClusterConfig
from vaetui.engine.kmeans import choose_k, find_elbow, run_kmeans
from vaetui.runtime.session_runner import drain_events


def test_same_seed_gives_the_same_bits() -> None:
    latents = np.random.default_rng(5).standard_normal((2_000, 10)).astype(np.float32)
    (first_assignments, first_centres), (assignments, centres) = (
        drain_events(run_kmeans(latents, 12, 3, 7)) for _ in "ab"
    )
    assert np.array_equal(first_assignments, assignments)
    assert first_centres.tobytes() == centres.tobytes()


def test_large_set_is_fitted_on_a_sample_and_assigned_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(1)
    blob_ids = np.repeat(np.arange(5), 200)
    latents = (10 * np.eye(5)[blob_ids] + generator.normal(0, 0.1, (1_000, 5))).astype(np.float32)
    monkeypatch.setattr(kmeans, "MAX_FIT_VECTORS", 100)
    monkeypatch.setattr(kmeans, "CHUNK_VECTORS", 300)
    assignments, centres = drain_events(run_kmeans(latents, 5, 3, 7))
    assert len(np.unique(np.stack([assignments, blob_ids]), axis=1).T) == 5
    distances = np.linalg.norm(latents[:, None] - centres, axis=2)
    assert np.array_equal(distances.argmin(axis=1), assignments)
    assert [progress.completed for progress in run_kmeans(latents, 5, 3, 7)] == [0, 1, 2, 0, 300, 600, 900]


def test_fewer_distinct_vectors_than_k_give_fewer_centres() -> None:
    latents = np.repeat(np.eye(3, dtype=np.float32), 10, axis=0)
    assignments, centres = drain_events(run_kmeans(latents, 5, 1, 0))
    assert (len(centres), set(assignments.tolist())) == (3, {0, 1, 2})


def test_elbow_is_the_point_farthest_below_the_chord() -> None:
    assert find_elbow([(3, 100.0), (4, 60.0), (5, 20.0), (6, 15.0), (7, 12.0), (8, 10.0)]) == 5
    assert find_elbow([(3, 10.0), (4, 10.0), (5, 10.0)]) == 3


def test_elbow_of_separate_blobs_is_near_their_number_and_at_least_min_clusters() -> None:
    generator = np.random.default_rng(0)
    blobs = [generator.normal(10 * generator.standard_normal(6), 0.1, (60, 6)) for _ in range(8)]
    latents = np.concatenate(blobs).astype(np.float32)
    totals = {progress.total for progress in choose_k(latents, ClusterConfig(min_clusters=3), 0)}
    assert totals == {14}
    for min_clusters, expected in ((3, {6, 7, 8, 9}), (10, {10})):
        k, curve = drain_events(choose_k(latents, ClusterConfig(min_clusters=min_clusters), 0))
        assert k in expected
        assert [tried_k for tried_k, _ in curve] == list(range(3, 17))


def test_weight_of_a_vector_counts_as_equal_vectors() -> None:
    latents = np.random.default_rng(2).standard_normal((40, 3)).astype(np.float32)
    latents[20:] += 20
    weights = np.ones(40, np.float32)
    weights[7] = 50
    assignments, centres = drain_events(run_kmeans(latents, 2, 3, 0, weights))
    for members in (slice(0, 20), slice(20, 40)):
        (cluster,) = set(assignments[members].tolist())
        assert np.allclose(centres[cluster], np.average(latents[members], axis=0, weights=weights[members]), atol=1e-4)


def test_elbow_of_two_vectors_is_two() -> None:
    progress = list(choose_k(np.eye(2, dtype=np.float32), ClusterConfig(), 0))
    assert [(event.completed, event.total) for event in progress] == [(1, 1)]
    assert drain_events(choose_k(np.eye(2, dtype=np.float32), ClusterConfig(), 0))[0] == 2

"""Tests of the search for nearest vectors on an accelerator, which is simulated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from tests.simulated_accelerator import DEVICE, simulate_accelerator
from vaetui.engine import device_search, kmeans
from vaetui.engine.device_search import DeviceSearch, assign_to_centres
from vaetui.engine.kmeans import run_kmeans
from vaetui.runtime.session_runner import drain_events

GENERATOR = np.random.default_rng(3)
CANDIDATES = (10 + GENERATOR.standard_normal((1_500, 12))).astype(np.float32)
QUERIES = (10 + GENERATOR.standard_normal((700, 12))).astype(np.float32)


@pytest.fixture(params=["cpu", "accelerator"])
def device(request: pytest.FixtureRequest) -> Iterator[torch.device]:
    if request.param == "cpu":
        yield torch.device("cpu")
        return
    with simulate_accelerator(has_float64=False):
        yield DEVICE


@pytest.mark.parametrize("block_pairs", [1 << 26, 10_000])
def test_nearest_vectors_are_those_of_an_exhaustive_search(
    device: torch.device, block_pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_search, "BLOCK_PAIRS", block_pairs)
    search = DeviceSearch(QUERIES, CANDIDATES, device)
    expected_distances, expected = (
        NearestNeighbors(n_neighbors=13, algorithm="brute").fit(CANDIDATES).kneighbors(QUERIES)
    )
    positions, distances = search.search(np.arange(700), None, 13)
    assert positions.dtype == np.int64
    assert np.array_equal(positions, expected)
    assert np.allclose(distances, expected_distances, rtol=1e-5)


def test_only_the_given_candidates_are_searched_for_the_given_queries(device: torch.device) -> None:
    rows, members = np.array([5, 699, 0]), np.arange(0, 1_500, 100)
    positions, distances = DeviceSearch(QUERIES, CANDIDATES, device).search(rows, members, 40)
    expected = np.linalg.norm(QUERIES[rows, None] - CANDIDATES[members], axis=2)
    assert positions.shape == (3, 15)
    assert np.array_equal(positions, expected.argsort(axis=1))
    assert np.allclose(distances, np.sort(expected, axis=1), rtol=1e-5)


def test_distances_of_nearly_equal_vectors_far_from_the_origin_are_exact(device: torch.device) -> None:
    vectors = (1_000 + np.arange(6)[:, None] * np.full(4, 2.0**-8)).astype(np.float32)
    _, distances = DeviceSearch(vectors, vectors, device).search(np.arange(6), None, 2)
    assert np.array_equal(distances, np.tile(np.float32([0, 2.0**-7]), (6, 1)))


def test_vectors_are_assigned_to_the_nearest_centre_in_blocks(
    device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_search, "BLOCK_PAIRS", 3_000)
    centres = CANDIDATES[:10]
    assignments = drain_events(assign_to_centres(QUERIES, centres, device, "clustering"))
    assert assignments.dtype == np.int32
    assert np.array_equal(assignments, np.linalg.norm(QUERIES[:, None] - centres, axis=2).argmin(axis=1))
    assert [progress.completed for progress in assign_to_centres(QUERIES, centres, device, "")] == [0, 300, 600]


def test_kmeans_with_an_accelerator_gives_the_clusters_of_the_cpu(
    device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kmeans, "MAX_FIT_VECTORS", 500)
    expected, expected_centres = drain_events(run_kmeans(CANDIDATES, 6, 2, 1))
    assignments, centres = drain_events(run_kmeans(CANDIDATES, 6, 2, 1, device=device))
    assert np.array_equal(assignments, expected)
    assert np.array_equal(centres, expected_centres)

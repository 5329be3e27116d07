"""Tests of the search for nearest neighbours."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from tests.simulated_accelerator import DEVICE, simulate_accelerator
from vaetui.engine import neighbours
from vaetui.engine.events import Progress
from vaetui.engine.neighbours import Neighbours, find_nearest, find_neighbours
from vaetui.runtime.session_runner import drain_events


def search_everything(queries: NDArray[Any], candidates: NDArray[Any], k: int, *, is_same: bool) -> Neighbours:
    """Return neighbours by comparing all pairs in float64."""
    distances = cdist(queries, candidates)
    if is_same:
        np.fill_diagonal(distances, np.inf)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return Neighbours(order.astype(np.int32), np.take_along_axis(distances, order, 1).astype(np.float32))


def measure_recall(result: Neighbours, exact: Neighbours) -> float:
    return float((result.indices[:, :, None] == exact.indices[:, None]).any(axis=1).mean())


def draw_structured(count: int, dimensions: int, seed: int = 0) -> NDArray[np.float32]:
    """Return unit vectors on a curved surface of four dimensions, as latent vectors of networks are."""
    generator = np.random.default_rng(seed)
    hidden = np.random.default_rng(9).standard_normal((2, 128, 128))
    points = np.tanh(generator.standard_normal((count, 4)) @ hidden[0, :4]) @ hidden[1].T[:, :dimensions]
    points += 0.05 * generator.standard_normal(points.shape)
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True), np.float32)


@pytest.fixture
def always_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the search use cells for few vectors too."""
    monkeypatch.setattr(neighbours, "MAX_EXACT_PAIRS", 0)
    monkeypatch.setattr(neighbours, "MAX_UNSTRUCTURED_PAIRS", 0)


@pytest.mark.parametrize("dimensions", [2, 16, 128])
def test_few_vectors_have_exact_neighbours(dimensions: int) -> None:
    vectors = draw_structured(700, dimensions)
    result, exact = (
        drain_events(find_neighbours(vectors, 12, 0, 2)),
        search_everything(vectors, vectors, 12, is_same=True),
    )
    assert result.indices.dtype == np.int32
    assert result.distances.dtype == np.float32
    assert np.allclose(result.distances, exact.distances, atol=1e-6)
    assert measure_recall(result, exact) > 0.9999


@pytest.mark.usefixtures("always_cells")
@pytest.mark.parametrize("dimensions", [16, 64, 128])
def test_cells_find_98_percent_of_the_neighbours(dimensions: int) -> None:
    vectors = draw_structured(3_000, dimensions)
    result = drain_events(find_neighbours(vectors, 12, 0, 2))
    assert measure_recall(result, search_everything(vectors, vectors, 12, is_same=True)) > 0.98
    assert (result.indices != np.arange(3_000)[:, None]).all()
    assert all(len(set(row)) == 12 for row in result.indices.tolist())
    assert (np.diff(result.distances, axis=1) >= 0).all()


@pytest.mark.usefixtures("always_cells")
def test_cells_find_98_percent_of_the_nearest_candidates() -> None:
    candidates, queries = draw_structured(2_500, 16), draw_structured(900, 16, seed=1)
    result = drain_events(find_nearest(queries, candidates, 6, 0, 2))
    assert result.indices.shape == (900, 6)
    assert measure_recall(result, search_everything(queries, candidates, 6, is_same=False)) > 0.98


def test_vectors_without_structure_are_compared_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MAX_EXACT_PAIRS", 0)
    monkeypatch.setattr(neighbours, "MAX_CELLS_PER_VECTOR", 2)
    vectors = np.random.default_rng(0).standard_normal((2_000, 64)).astype(np.float32)
    result = drain_events(find_neighbours(vectors, 12, 0, 2))
    assert measure_recall(result, search_everything(vectors, vectors, 12, is_same=True)) > 0.9999


@pytest.mark.parametrize("uses_cells", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5, 60])
def test_k_is_at_most_the_number_of_other_vectors(
    count: int, uses_cells: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if uses_cells:
        monkeypatch.setattr(neighbours, "MAX_EXACT_PAIRS", 0)
        monkeypatch.setattr(neighbours, "MAX_UNSTRUCTURED_PAIRS", 0)
    result = drain_events(find_neighbours(draw_structured(count, 3), 12, 0, 1))
    assert result.indices.shape == result.distances.shape == (count, min(12, count - 1))
    assert np.isfinite(result.distances).all()
    assert all(set(row) <= set(range(count)) - {position} for position, row in enumerate(result.indices.tolist()))


@pytest.mark.parametrize("uses_cells", [False, True])
def test_equal_vectors_are_neighbours_of_each_other_at_distance_0(
    uses_cells: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if uses_cells:
        monkeypatch.setattr(neighbours, "MAX_EXACT_PAIRS", 0)
    vectors = draw_structured(1_000, 8)
    vectors[100:400] = vectors[100]
    result = drain_events(find_neighbours(vectors, 5, 0, 2))
    assert result.distances[100:400].max() < 1e-6
    assert np.isin(result.indices[100:400], np.arange(100, 400)).all()
    assert (result.indices != np.arange(1_000)[:, None]).all()


@pytest.mark.usefixtures("always_cells")
def test_a_cell_with_most_vectors_is_cut_into_bounded_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    far, lump = 10 * generator.standard_normal((1_000, 3)), 1e-3 * generator.standard_normal((3_000, 3))
    vectors = np.concatenate([far, lump]).astype(np.float32)
    few_centres = vectors[:60]  # all but one far from the lump

    def take_centres(task: object, seed: int) -> Any:
        yield from ()
        return few_centres

    monkeypatch.setattr(neighbours, "_fit_centres", take_centres)
    sizes = []
    search_block = neighbours._Task.search_block

    def spy(task: Any, block: Any) -> Any:
        if block[1] is not None:
            sizes.append(len(block[1]))
        return search_block(task, block)

    monkeypatch.setattr(neighbours._Task, "search_block", spy)
    result = drain_events(find_neighbours(vectors, 6, 0, 1))
    assert 100 < max(sizes) <= 4 * 4_000 * 8 // 60
    assert measure_recall(result, search_everything(vectors, vectors, 6, is_same=True)) > 0.98


@pytest.mark.usefixtures("always_cells")
def test_a_cell_with_most_vectors_of_one_dimension_is_cut() -> None:
    vectors = np.concatenate([np.zeros(1_500), np.random.default_rng(0).standard_normal(1_500)])
    vectors = vectors[:, None].astype(np.float32)
    result = drain_events(find_neighbours(vectors, 5, 0, 1))
    assert result.distances[:1_500].max() == 0
    exact = search_everything(vectors, vectors, 5, is_same=True)
    assert np.isclose(result.distances, exact.distances, atol=1e-6).mean() > 0.98


@pytest.mark.usefixtures("always_cells")
def test_result_depends_on_the_seed_and_not_on_the_threads() -> None:
    vectors = np.random.default_rng(0).standard_normal((3_000, 24)).astype(np.float32)
    first, same, other = (
        drain_events(find_neighbours(vectors, 12, seed, threads)) for seed, threads in ((0, 1), (0, 2), (1, 2))
    )
    assert np.array_equal(first.indices, same.indices)
    assert np.array_equal(first.distances, same.distances)
    assert not np.array_equal(first.indices, other.indices)


@pytest.mark.parametrize("max_exact_pairs", [0, 10**9])
def test_search_reports_progress_and_stops_when_closed(max_exact_pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MAX_EXACT_PAIRS", max_exact_pairs)
    monkeypatch.setattr(neighbours, "BLOCK_PAIRS", 5_000)
    events = find_neighbours(draw_structured(2_000, 8), 12, 0, 2)
    reports = list(itertools.islice(events, 100))
    assert all(isinstance(report, Progress) and 0 <= report.completed < report.total for report in reports)
    assert len({(report.activity, report.completed) for report in reports}) > 50
    events.close()


@pytest.mark.parametrize("uses_cells", [False, True])
def test_neighbours_on_an_accelerator_are_those_of_the_cpu(uses_cells: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = draw_structured(1_200, 16)
    if uses_cells:
        monkeypatch.setattr(neighbours, "MAX_EXACT_PAIRS", 0)
        monkeypatch.setattr(neighbours, "MAX_ACCELERATOR_EXACT_PAIRS", 0)
    expected = drain_events(find_neighbours(vectors, 12, 5, 1))
    expected_nearest = drain_events(find_nearest(vectors[:300], vectors[300:], 6, 5, 1))
    with simulate_accelerator() as accelerator:
        neighbour_result = drain_events(find_neighbours(vectors, 12, 5, 1, DEVICE))
        nearest_result = drain_events(find_nearest(vectors[:300], vectors[300:], 6, 5, 1, DEVICE))
    assert accelerator.launches["aten::topk"] > 0
    for result, reference in ((neighbour_result, expected), (nearest_result, expected_nearest)):
        assert (result.indices == reference.indices).mean() > 0.9999
        assert np.allclose(result.distances, reference.distances, atol=1e-5)

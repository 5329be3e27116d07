"""Tests of the graph of nearest neighbours and of Poisson learning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from sklearn.datasets import make_moons

from vaetui.engine import label_propagation
from vaetui.engine.config import Config
from vaetui.engine.label_propagation import build_knn_graph, compute_uncertainty, run_poisson_learning, to_pseudo_labels
from vaetui.engine.pseudo_labels import LabelledSet
from vaetui.runtime.session_runner import drain_events

CONFIG = replace(Config().propagation, method="graph")


def two_moons(count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    points, moon_ids = make_moons(count, noise=0.03, random_state=0)
    return points.astype(np.float32), moon_ids


def label(indices: list[int], class_ids: list[int], weights: list[float] | None = None) -> LabelledSet:
    return LabelledSet(
        np.array(indices, np.int64),
        np.array(class_ids, np.int64),
        np.array([1.0] * len(indices) if weights is None else weights),
    )


@pytest.mark.parametrize("sample_size", [600, 300])
def test_four_labels_per_moon_label_both_moons(sample_size: int) -> None:
    points, moon_ids = two_moons(600)
    graph = drain_events(build_knn_graph(points, replace(CONFIG, max_graph_images=sample_size), 3, 1))
    assert graph.adjacency.shape == (sample_size, sample_size)
    first, second = (np.flatnonzero(moon_ids == moon_id)[:4].tolist() for moon_id in (0, 1))
    labelled = label(first + second, [4] * 4 + [2] * 4)
    pseudo_labels = to_pseudo_labels(drain_events(run_poisson_learning(graph, labelled, 10)))
    assert np.mean(pseudo_labels.class_ids == np.where(moon_ids == 0, 4, 2)) > 0.99
    assert 0 <= pseudo_labels.weights.min() <= pseudo_labels.weights.max() <= 1


def test_graph_is_symmetric_without_self_links_and_rows_sum_to_1() -> None:
    points, _ = two_moons(300)
    graph = drain_events(build_knn_graph(points, replace(CONFIG, max_graph_images=100), 0, 1))
    assert np.allclose(graph.anchor_weights.sum(axis=1), 1)
    assert abs(graph.adjacency - graph.adjacency.T).max() == 0
    assert graph.adjacency.diagonal().sum() == 0
    probabilities = drain_events(run_poisson_learning(graph, label([3, 9], [0, 1]), 3))
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_label_of_higher_weight_wins_on_the_same_image() -> None:
    points, _ = two_moons(400)
    graph = drain_events(build_knn_graph(points, CONFIG, 0, 1))
    assert drain_events(run_poisson_learning(graph, label([7, 7, 60], [1, 2, 3], [0.9, 0.4, 0.9]), 4))[7].argmax() == 1


def test_without_labels_no_image_gets_a_weight() -> None:
    graph = drain_events(build_knn_graph(two_moons(100)[0], CONFIG, 0, 1))
    assert to_pseudo_labels(drain_events(run_poisson_learning(graph, label([], []), 5))).label_coverage == 0


@pytest.mark.parametrize("points", [np.ones((40, 3), np.float32), np.eye(3, dtype=np.float32)], ids=["equal", "few"])
def test_few_or_equal_images_give_finite_probabilities(points: NDArray[np.float32]) -> None:
    graph = drain_events(build_knn_graph(points, CONFIG, 0, 1))
    assert np.isfinite(drain_events(run_poisson_learning(graph, label([0, 1], [1, 0]), 2))).all()


def test_same_seed_gives_the_same_graph() -> None:
    points, _ = two_moons(500)
    config = replace(CONFIG, max_graph_images=200)
    first, same, other = (drain_events(build_knn_graph(points, config, seed, 1)) for seed in (1, 1, 2))
    assert (first.adjacency != same.adjacency).nnz == 0
    assert (first.adjacency != other.adjacency).nnz > 0


@pytest.mark.parametrize("sample_size", [500, 130])
def test_graph_built_in_chunks_equals_the_graph_built_at_once(
    sample_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    points, _ = two_moons(500)
    config = replace(CONFIG, max_graph_images=sample_size)
    whole = drain_events(build_knn_graph(points, config, 1, 1))
    monkeypatch.setattr(label_propagation, "CHUNK_IMAGES", 70)
    assert [progress.completed for progress in build_knn_graph(points, config, 1, 1)] == list(range(0, 500, 70))
    chunked = drain_events(build_knn_graph(points, config, 1, 1))
    assert abs(whole.adjacency - chunked.adjacency).max() < 1e-4
    assert abs(whole.anchor_weights - chunked.anchor_weights).max() < 1e-4


def test_no_link_connects_separate_moons() -> None:
    points, moon_ids = two_moons(1_000)
    count, component_ids = connected_components(drain_events(build_knn_graph(points, CONFIG, 0, 1)).adjacency)
    assert count >= 2
    assert all(len(set(moon_ids[component_ids == component_id])) == 1 for component_id in range(count))


def test_uncertainty_is_largest_where_graph_and_classifier_disagree() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.9, 0.1]], np.float32)
    uncertainties = compute_uncertainty(
        probabilities, np.array([0, 0, 1], np.uint8), np.array([0.9, 0.6, 0.9], np.float32)
    )
    assert np.allclose(uncertainties, [0.1, 0.4, 1.1])

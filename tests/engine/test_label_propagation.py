"""Tests of the graph of nearest neighbours and of Poisson learning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.datasets import make_moons

from vaetui.engine import label_propagation, neighbours
from vaetui.engine.config import Config
from vaetui.engine.label_propagation import (
    build_knn_graph,
    compute_uncertainty,
    keep_labels_of_repeated_images,
    run_poisson_learning,
    to_pseudo_labels,
)
from vaetui.engine.pseudo_labels import LabelledSet
from vaetui.runtime.session_runner import drain_events

CONFIG = replace(Config().propagation, method="graph")


def two_moons(count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    points, moon_ids = make_moons(count, noise=0.03, random_state=0)
    return points.astype(np.float32), moon_ids


def label(
    indices: list[int],
    class_ids: list[int],
    weights: list[float] | None = None,
    image_counts: list[float] | None = None,
) -> LabelledSet:
    ones = [1.0] * len(indices)
    return LabelledSet(
        np.array(indices, np.int64),
        np.array(class_ids, np.int64),
        np.array(weights or ones),
        np.array(image_counts or ones),
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
def test_cells_and_threads_change_neither_graph_nor_labels(sample_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    points, moon_ids = two_moons(500)
    config, labelled = replace(CONFIG, max_graph_images=sample_size), label([*range(20)], moon_ids[:20].tolist())
    exact = drain_events(build_knn_graph(points, config, 1, 1))
    probabilities = drain_events(run_poisson_learning(exact, labelled, 2))
    monkeypatch.setattr(neighbours, "MAX_EXACT_PAIRS", 0)
    monkeypatch.setattr(label_propagation, "BLOCK_LINKS", 400)
    in_cells = drain_events(build_knn_graph(points, config, 1, 2))
    differing_links = np.count_nonzero((abs(exact.adjacency - in_cells.adjacency) > 1e-4).sum(axis=1))
    assert differing_links < 0.05 * sample_size
    same = drain_events(run_poisson_learning(replace(exact, threads=2), labelled, 2))
    assert np.array_equal(probabilities, same)


def test_graph_contains_all_images_by_default() -> None:
    points, _ = two_moons(20_100)
    graph = drain_events(build_knn_graph(points, Config().propagation, 0, 1))
    assert graph.adjacency.shape == (20_100, 20_100)
    assert (graph.anchor_weights != sparse.eye_array(20_100)).nnz == 0
    assert np.array_equal(graph.equal_nodes, np.arange(20_100))


def test_images_outside_the_sample_are_linked_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    points, _ = draw_blobs(300)
    points = np.concatenate([points, points[:50]])
    config = replace(CONFIG, max_graph_images=100)
    whole = drain_events(build_knn_graph(points, config, 0, 1))
    monkeypatch.setattr(label_propagation, "MAX_QUERIES", 17)
    in_parts = drain_events(build_knn_graph(points, config, 0, 1))
    assert abs(whole.anchor_weights - in_parts.anchor_weights).max() < 1e-6
    assert np.array_equal(whole.equal_nodes, in_parts.equal_nodes)
    assert np.count_nonzero(whole.equal_nodes >= 0) > 100  # copies of nodes too
    assert np.allclose(whole.anchor_weights.sum(axis=1), 1)


def test_potentials_solve_the_equation_to_the_residual() -> None:
    points, _ = draw_blobs(400)
    graph = drain_events(build_knn_graph(points, CONFIG, 0, 1))
    sources = np.zeros((400, 3))
    sources[[0, 1, 2], [0, 1, 2]] = 1
    sources -= sources.mean(axis=0)
    potentials = drain_events(label_propagation._solve_poisson_equation(graph, sources))
    degrees = graph.adjacency.sum(axis=1)[:, None]
    residual = sources - (
        degrees * (1 + 1 / label_propagation.DIFFUSION_TIME) * potentials - graph.adjacency @ potentials
    )
    assert np.linalg.norm(residual / np.sqrt(degrees)) < 0.011 * np.linalg.norm(sources / np.sqrt(degrees))


def test_component_with_labels_of_one_class_gets_it_and_one_without_labels_gets_no_weight() -> None:
    """Three groups without links between them: two classes in the first, one in the second, none in the third."""
    generator = np.random.default_rng(0)
    groups = [generator.standard_normal((count, 5)) + 100 * number for number, count in enumerate((300, 200, 100))]
    graph = drain_events(build_knn_graph(np.concatenate(groups).astype(np.float32), CONFIG, 0, 1))
    assert connected_components(graph.adjacency)[0] == 3
    labelled = label([*range(20), *range(300, 320)], [0] * 10 + [1] * 10 + [2] * 20)
    probabilities = drain_events(run_poisson_learning(graph, labelled, 4))
    assert np.isfinite(probabilities).all()
    pseudo_labels = to_pseudo_labels(probabilities)
    assert (pseudo_labels.class_ids[300:500] == 2).all()
    assert pseudo_labels.weights[300:500].min() > 0.5
    assert np.allclose(probabilities[500:], 1 / 4, atol=1e-5)


def test_wrong_label_amid_right_ones_stays_alone() -> None:
    points, blob_ids = draw_blobs(400)
    graph = drain_events(build_knn_graph(points, CONFIG, 0, 1))
    labelled = label([*range(1, 33), 40], [*blob_ids[1:33].tolist(), (blob_ids[40] + 1) % 4])
    pseudo_labels = to_pseudo_labels(drain_events(run_poisson_learning(graph, labelled, 4)))
    assert np.mean(pseudo_labels.class_ids == blob_ids) > 0.995


def test_classes_with_many_labels_do_not_spread_over_one_with_few(monkeypatch: pytest.MonkeyPatch) -> None:
    blob_ids = np.repeat([0, 1, 2], 400)
    points = np.random.default_rng(0).normal(size=(1200, 2)).astype(np.float32)
    points[:, 0] += 3 * blob_ids
    graph = drain_events(build_knn_graph(points, CONFIG, 0, 1))
    indices = np.r_[:2, 400:500, 800:900]
    labelled = label(indices.tolist(), blob_ids[indices].tolist())
    shares = []
    for balance in (0.0, label_propagation.CLASS_BALANCE):
        monkeypatch.setattr(label_propagation, "CLASS_BALANCE", balance)
        labels = to_pseudo_labels(drain_events(run_poisson_learning(graph, labelled, 3)))
        shares.append(np.mean(labels.class_ids == blob_ids))
    assert shares[0] < 0.65
    assert shares[1] > 0.85


def test_labels_of_a_few_images_do_not_spread_over_the_many_that_others_stand_for() -> None:
    # Of class 0, most images lie in one group and a few in another; of class 1, a dozen lie amid the many of class 0.
    group_sizes, label_counts, group_class_ids = np.array([300, 300, 20, 12]), np.array([8, 8, 20, 8]), [0, 1, 0, 1]
    generator = np.random.default_rng(0)
    centres, scales = np.array([0.0, 20.0, -20.0, 0.5]), np.array([1.0, 1.0, 1.0, 0.3])
    groups = np.repeat(np.arange(4), group_sizes)
    points = generator.normal(size=(len(groups), 2)) * scales[groups, None]
    points[:, 0] += centres[groups]
    class_ids = np.array(group_class_ids)[groups]
    graph = drain_events(build_knn_graph(points.astype(np.float32), CONFIG, 0, 1))
    indices = np.concatenate([np.flatnonzero(groups == group)[:count] for group, count in enumerate(label_counts)])
    image_counts = np.repeat(group_sizes / label_counts, label_counts)
    labelled = label(indices.tolist(), class_ids[indices].tolist(), image_counts=image_counts.tolist())
    shares = []
    for full_weight_images in (1.0, 4.0):
        labels = to_pseudo_labels(drain_events(run_poisson_learning(graph, labelled, 2, full_weight_images)))
        shares.append(np.mean(labels.class_ids == class_ids))
    assert shares[0] < 0.7
    assert shares[1] > 0.95


def test_progress_of_the_solver_never_falls() -> None:
    points, moon_ids = two_moons(600)
    graph = drain_events(build_knn_graph(points, CONFIG, 0, 1))
    reports = [
        progress.completed / progress.total
        for progress in run_poisson_learning(graph, label([*range(20)], moon_ids[:20].tolist()), 2)
    ]
    assert len(reports) > 5
    assert reports == sorted(reports)


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


def draw_blobs(count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return unit vectors around four directions, [count, 16], and the number of their direction."""
    generator = np.random.default_rng(0)
    directions, blob_ids = generator.standard_normal((4, 16)), np.arange(count) % 4
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return to_unit_length(directions[blob_ids] + 0.25 * generator.standard_normal((count, 16))), blob_ids


def to_unit_length(points: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True), np.float32)


@pytest.mark.parametrize("is_inside_blob", [False, True], ids=["far", "inside a blob"])
@pytest.mark.parametrize("spread", [0.0, 1e-9, 1e-6, 0.02])
@pytest.mark.parametrize("count", [5, 60, 600])
def test_equal_and_nearly_equal_images_keep_their_label_and_leave_the_others_theirs(
    count: int, spread: float, is_inside_blob: bool
) -> None:
    points, blob_ids = draw_blobs(300)
    generator = np.random.default_rng(1)
    base = points[0] if is_inside_blob else to_unit_length(generator.standard_normal((1, 16)))[0]
    near_copies = to_unit_length(base + spread * generator.standard_normal((count, 16)))
    class_ids = np.concatenate([blob_ids, np.full(count, 0 if is_inside_blob else 4)])
    graph = drain_events(build_knn_graph(np.concatenate([points, near_copies]), CONFIG, 0, 1))
    indices = [*range(32), *range(300, 300 + min(count, 8))]  # eight images of each class
    labelled = label(indices, class_ids[indices].tolist())
    probabilities = drain_events(run_poisson_learning(graph, labelled, 6))
    assert np.isfinite(probabilities).all()
    pseudo_labels = to_pseudo_labels(keep_labels_of_repeated_images(probabilities, graph, labelled, None))
    assert (pseudo_labels.class_ids[300:] == class_ids[300:]).all()
    assert np.median(pseudo_labels.weights[300:]) > 0.3
    assert np.mean(pseudo_labels.class_ids[:300] == blob_ids) > 0.98
    assert pseudo_labels.weights[:300].mean() > 0.75


@pytest.mark.parametrize("sample_size", [600, 100])
def test_images_with_equal_vectors_have_equal_probabilities(sample_size: int) -> None:
    points, blob_ids = draw_blobs(200)
    repeated = np.concatenate([points, points[:50], points[:50], np.repeat(points[:1], 100, axis=0)])
    graph = drain_events(build_knn_graph(repeated, replace(CONFIG, max_graph_images=sample_size), 0, 1))
    assert graph.adjacency.shape[0] <= min(sample_size, 200)
    probabilities = drain_events(run_poisson_learning(graph, label([*range(60, 76)], blob_ids[60:76].tolist()), 4))
    for copies in (slice(200, 250), slice(250, 300)):
        assert np.allclose(probabilities[:50], probabilities[copies], atol=0 if sample_size == 600 else 0.1)
    assert np.array_equal(np.repeat(probabilities[:1], 100, axis=0), probabilities[300:])


def test_graph_of_distinct_vectors_contains_the_whole_sample() -> None:
    points, _ = two_moons(300)
    graph = drain_events(build_knn_graph(points, replace(CONFIG, max_graph_images=100), 0, 1))
    assert graph.adjacency.shape == (100, 100)
    assert np.array_equal(np.sort(graph.equal_nodes[graph.equal_nodes >= 0]), np.arange(100))


def test_label_of_an_image_with_copies_is_kept_with_its_weight() -> None:
    """A single distinct image of a rare class amid many images of another class."""
    points, _ = draw_blobs(300)
    graph = drain_events(build_knn_graph(points, CONFIG, 0, 1))
    labelled = label([4, 8, 12, 16, 1, 2, 3, 40, 41], [0] * 4 + [1, 2, 3, 5, 5], [1.0] * 7 + [0.8, 0.9])
    probabilities = drain_events(run_poisson_learning(graph, labelled, 6))
    assert np.array_equal(keep_labels_of_repeated_images(probabilities, graph, labelled, None), probabilities)
    copy_counts = np.ones(300, np.float32)
    copy_counts[40] = 60
    changed = keep_labels_of_repeated_images(probabilities, graph, labelled, copy_counts)
    pseudo_labels = to_pseudo_labels(changed)
    assert (pseudo_labels.class_ids[40], pytest.approx(0.8)) == (5, pseudo_labels.weights[40])
    assert changed[40].sum() == pytest.approx(1)
    assert np.array_equal(np.delete(changed, 40, axis=0), np.delete(probabilities, 40, axis=0))

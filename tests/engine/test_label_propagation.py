"""Labels spread from neighbour to neighbour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components
from sklearn.datasets import make_moons

from vaetui.runtime.runner import drain
from vaetui.engine import label_propagation as graphs
from vaetui.engine.clusters import NOT_QUERIED, to_metric_space
from vaetui.engine.config import Config
from vaetui.engine.label_propagation import build_knn_graph, poisson_learning, to_pseudo_labels, uncertainty
from vaetui.engine.pseudo_labels import direct_labels
from vaetui.engine.query_strategy import cluster_all, cluster_uncertain
from vaetui.engine.seeds import LabelledSet, concat_labelled_sets

SPREAD = replace(Config().propagation, method="neighbours")


def moons(count: int) -> tuple[np.ndarray, np.ndarray]:
    points, kinds = make_moons(count, noise=0.03, random_state=0)
    return points.astype(np.float32), kinds


def seeds(indices: list[int], labels: list[int], weights: list[float] | None = None) -> LabelledSet:
    given = np.array([1.0] * len(indices) if weights is None else weights)
    return LabelledSet(np.array(indices, np.int64), np.array(labels, np.int64), given)


@pytest.mark.parametrize("sample", [600, 300])
def test_a_few_labels_are_enough_for_two_moons_that_no_straight_line_parts(sample: int) -> None:
    points, kinds = moons(600)
    graph = drain(build_knn_graph(points, replace(SPREAD, max_graph_images=sample), 3, 1))
    assert graph.adjacency.shape == (sample, sample)
    one, other = (np.flatnonzero(kinds == kind)[:4].tolist() for kind in (0, 1))
    weights = to_pseudo_labels(drain(poisson_learning(graph, seeds(one + other, [4] * 4 + [2] * 4), 10)))
    assert np.mean(weights.class_ids == np.where(kinds == 0, 4, 2)) > 0.99
    assert 0 <= weights.weights.min() <= weights.weights.max() <= 1


def test_rows_sum_to_1_and_links_go_both_ways() -> None:
    points, _ = moons(300)
    graph = drain(build_knn_graph(points, replace(SPREAD, max_graph_images=100), 0, 1))
    assert np.allclose(graph.anchor_weights.sum(axis=1), 1)
    assert abs(graph.adjacency - graph.adjacency.T).max() == 0
    assert graph.adjacency.diagonal().sum() == 0
    probabilities = drain(poisson_learning(graph, seeds([3, 9], [0, 1]), 3))
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_surer_label_outweighs_others_at_the_same_place() -> None:
    points, _ = moons(400)
    graph = drain(build_knn_graph(points, SPREAD, 0, 1))
    assert drain(poisson_learning(graph, seeds([7, 7, 60], [1, 2, 3], [0.9, 0.4, 0.9]), 4))[7].argmax() == 1


def test_without_labels_nothing_is_preferred() -> None:
    points, _ = moons(100)
    weights = to_pseudo_labels(drain(poisson_learning(drain(build_knn_graph(points, SPREAD, 0, 1)), seeds([], []), 5)))
    assert weights.label_coverage == 0


def test_few_images_and_images_that_are_all_alike_make_a_graph_too() -> None:
    for points in (np.ones((40, 3), np.float32), np.eye(3, dtype=np.float32)):
        probabilities = drain(poisson_learning(drain(build_knn_graph(points, SPREAD, 0, 1)), seeds([0, 1], [1, 0]), 2))
        assert np.isfinite(probabilities).all()


def test_the_same_draw_makes_the_same_graph() -> None:
    points, _ = moons(500)
    one, same, other = (
        drain(build_knn_graph(points, replace(SPREAD, max_graph_images=200), seed, 1)) for seed in (1, 1, 2)
    )
    assert (one.adjacency != same.adjacency).nnz == 0
    assert (one.adjacency != other.adjacency).nnz > 0


@pytest.mark.parametrize("sample", [500, 130])
def test_a_graph_made_piece_by_piece_is_the_same(sample: int, monkeypatch: pytest.MonkeyPatch) -> None:
    points, _ = moons(500)
    whole = drain(build_knn_graph(points, replace(SPREAD, max_graph_images=sample), 1, 1))
    monkeypatch.setattr(graphs, "CHUNK_IMAGES", 70)
    told = list(build_knn_graph(points, replace(SPREAD, max_graph_images=sample), 1, 1))
    pieces = drain(build_knn_graph(points, replace(SPREAD, max_graph_images=sample), 1, 1))
    assert [each.completed for each in told] == list(range(0, 500, 70))
    assert abs(whole.adjacency - pieces.adjacency).max() < 1e-4
    assert abs(whole.anchor_weights - pieces.anchor_weights).max() < 1e-4


def test_neighbours_link_what_lies_together() -> None:
    points, kinds = moons(1_000)
    count, parts = connected_components(drain(build_knn_graph(points, SPREAD, 0, 1)).adjacency)
    assert count >= 2
    assert all(len(set(kinds[parts == part])) == 1 for part in range(count))


def test_doubt_is_largest_where_graph_and_classifier_differ() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.9, 0.1]], np.float32)
    doubts = uncertainty(probabilities, np.array([0, 0, 1], np.uint8), np.array([0.9, 0.6, 0.9], np.float32))
    assert np.allclose(doubts, [0.1, 0.4, 1.1])


def test_later_rounds_ask_only_of_the_most_doubtful() -> None:
    points, _ = moons(1_000)
    doubts = np.linspace(0, 1, 1_000, dtype=np.float32)
    config = replace(Config().cluster, query_strategy="doubtful", uncertain_fraction=0.3, oversample=4)
    near, centres = drain(cluster_uncertain(points, doubts, 5, config, 0))
    asked = np.flatnonzero(near > NOT_QUERIED)
    assert asked.min() >= 700
    assert len(centres) == 5
    assert set(near[asked]) == set(range(5))
    everyone, _ = drain(cluster_all(points, 5, 0))
    assert NOT_QUERIED not in everyone


def test_directions_forget_how_long_a_latent_vector_is() -> None:
    latents = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]], np.float32)
    assert to_metric_space(latents, "place") is latents
    assert np.allclose(to_metric_space(latents, "direction"), [[0.6, 0.8], [0.6, 0.8], [0.0, 0.0]])


def test_the_last_word_on_an_image_counts() -> None:
    said = direct_labels(concat_labelled_sets([seeds([1, 2], [5, 5]), seeds([2], [7], [0.5])]), 4)
    assert said.class_ids.tolist() == [0, 5, 7, 0]
    assert said.weights.tolist() == [0, 1, 0.5, 0]

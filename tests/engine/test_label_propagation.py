"""Labels spread from neighbour to neighbour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components
from sklearn.datasets import make_moons

from vaetui.cli.simulate_command import consumed
from vaetui.engine import label_propagation as graphs
from vaetui.engine.clusters import ASIDE, placed
from vaetui.engine.config import Config
from vaetui.engine.label_propagation import connect, doubt, settle, spread
from vaetui.engine.pseudo_labels import told
from vaetui.engine.query_strategy import doubtful, typical
from vaetui.engine.seeds import Seeds, joined

SPREAD = replace(Config().spread, over="neighbours")


def moons(count: int) -> tuple[np.ndarray, np.ndarray]:
    points, kinds = make_moons(count, noise=0.03, random_state=0)
    return points.astype(np.float32), kinds


def seeds(indices: list[int], labels: list[int], weights: list[float] | None = None) -> Seeds:
    given = np.array([1.0] * len(indices) if weights is None else weights)
    return Seeds(np.array(indices, np.int64), np.array(labels, np.int64), given)


@pytest.mark.parametrize("sample", [600, 300])
def test_a_few_labels_are_enough_for_two_moons_that_no_straight_line_parts(sample: int) -> None:
    points, kinds = moons(600)
    graph = consumed(connect(points, replace(SPREAD, sample=sample), 3, 1))
    assert graph.links.shape == (sample, sample)
    one, other = (np.flatnonzero(kinds == kind)[:4].tolist() for kind in (0, 1))
    weights = settle(consumed(spread(graph, seeds(one + other, [4] * 4 + [2] * 4), 10)))
    assert np.mean(weights.labels == np.where(kinds == 0, 4, 2)) > 0.99
    assert 0 <= weights.weights.min() <= weights.weights.max() <= 1


def test_rows_sum_to_1_and_links_go_both_ways() -> None:
    points, _ = moons(300)
    graph = consumed(connect(points, replace(SPREAD, sample=100), 0, 1))
    assert np.allclose(graph.anchors.sum(axis=1), 1)
    assert abs(graph.links - graph.links.T).max() == 0
    assert graph.links.diagonal().sum() == 0
    probabilities = consumed(spread(graph, seeds([3, 9], [0, 1]), 3))
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_surer_label_outweighs_others_at_the_same_place() -> None:
    points, _ = moons(400)
    graph = consumed(connect(points, SPREAD, 0, 1))
    assert consumed(spread(graph, seeds([7, 7, 60], [1, 2, 3], [0.9, 0.4, 0.9]), 4))[7].argmax() == 1


def test_without_labels_nothing_is_preferred() -> None:
    points, _ = moons(100)
    weights = settle(consumed(spread(consumed(connect(points, SPREAD, 0, 1)), seeds([], []), 5)))
    assert weights.covered == 0


def test_few_images_and_images_that_are_all_alike_make_a_graph_too() -> None:
    for points in (np.ones((40, 3), np.float32), np.eye(3, dtype=np.float32)):
        probabilities = consumed(spread(consumed(connect(points, SPREAD, 0, 1)), seeds([0, 1], [1, 0]), 2))
        assert np.isfinite(probabilities).all()


def test_the_same_draw_makes_the_same_graph() -> None:
    points, _ = moons(500)
    one, same, other = (consumed(connect(points, replace(SPREAD, sample=200), seed, 1)) for seed in (1, 1, 2))
    assert (one.links != same.links).nnz == 0
    assert (one.links != other.links).nnz > 0


@pytest.mark.parametrize("sample", [500, 130])
def test_a_graph_made_piece_by_piece_is_the_same(sample: int, monkeypatch: pytest.MonkeyPatch) -> None:
    points, _ = moons(500)
    whole = consumed(connect(points, replace(SPREAD, sample=sample), 1, 1))
    monkeypatch.setattr(graphs, "PIECE", 70)
    told = list(connect(points, replace(SPREAD, sample=sample), 1, 1))
    pieces = consumed(connect(points, replace(SPREAD, sample=sample), 1, 1))
    assert [each.done for each in told] == list(range(0, 500, 70))
    assert abs(whole.links - pieces.links).max() < 1e-4
    assert abs(whole.anchors - pieces.anchors).max() < 1e-4


def test_neighbours_link_what_lies_together() -> None:
    points, kinds = moons(1_000)
    count, parts = connected_components(consumed(connect(points, SPREAD, 0, 1)).links)
    assert count >= 2
    assert all(len(set(kinds[parts == part])) == 1 for part in range(count))


def test_doubt_is_largest_where_graph_and_classifier_differ() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.9, 0.1]], np.float32)
    doubts = doubt(probabilities, np.array([0, 0, 1], np.uint8), np.array([0.9, 0.6, 0.9], np.float32))
    assert np.allclose(doubts, [0.1, 0.4, 1.1])


def test_later_rounds_ask_only_of_the_most_doubtful() -> None:
    points, _ = moons(1_000)
    doubts = np.linspace(0, 1, 1_000, dtype=np.float32)
    config = replace(Config().cluster, asked="doubtful", doubtful=0.3, finer=4)
    near, centres = consumed(doubtful(points, doubts, 5, config, 0))
    asked = np.flatnonzero(near > ASIDE)
    assert asked.min() >= 700
    assert len(centres) == 5
    assert set(near[asked]) == set(range(5))
    everyone, _ = consumed(typical(points, 5, 0))
    assert ASIDE not in everyone


def test_directions_forget_how_long_a_latent_vector_is() -> None:
    latents = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]], np.float32)
    assert placed(latents, "place") is latents
    assert np.allclose(placed(latents, "direction"), [[0.6, 0.8], [0.6, 0.8], [0.0, 0.0]])


def test_the_last_word_on_an_image_counts() -> None:
    said = told(joined([seeds([1, 2], [5, 5]), seeds([2], [7], [0.5])]), 4)
    assert said.labels.tolist() == [0, 5, 7, 0]
    assert said.weights.tolist() == [0, 1, 0.5, 0]

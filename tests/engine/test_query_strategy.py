"""Tests of the query strategies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vaetui.engine.clusters import NOT_QUERIED
from vaetui.engine.config import ClusterConfig, Config
from vaetui.engine.query_strategy import (
    cluster_all_images,
    cluster_uncertain_images,
    compute_uncertain_fraction,
    count_clusters,
)
from vaetui.runtime.session_runner import drain_events

VECTORS = np.random.default_rng(0).standard_normal((600, 2)).astype(np.float32)
NOT_ANSWERED = np.zeros(600, np.bool_)


@pytest.mark.parametrize(
    ("per_class", "class_count", "image_count", "expected"),
    [
        (1.6, 2, 10_000, 16),
        (1.6, 10, 10_000, 16),
        (1.6, 11, 10_000, 18),
        (1.6, 20, 10_000, 32),
        (1.6, 43, 10_000, 69),
        (1.6, 250, 100_000, 256),
        (1.6, 43, 300, 30),
        (1.6, 43, 100, 16),
        (1.6, 43, 7, 7),
        (0.0, 43, 10_000, 16),
    ],
)
def test_a_round_has_more_clusters_with_more_classes_as_far_as_there_are_images(
    per_class: float, class_count: int, image_count: int, expected: int
) -> None:
    config = ClusterConfig(clusters=16, clusters_per_class=per_class)
    assert count_clusters(config, class_count, image_count) == expected


def test_elbow_method_chooses_whatever_the_number_of_classes() -> None:
    assert count_clusters(ClusterConfig(clusters=None, clusters_per_class=1.6), 43, 10_000) is None


def test_uncertain_strategy_queries_only_the_most_uncertain_images() -> None:
    uncertainties = np.linspace(0, 1, 600, dtype=np.float32)
    config = replace(Config().cluster, query_strategy="uncertain", uncertain_fraction=0.3, oversample=4)
    assignments, centres = drain_events(
        cluster_uncertain_images(VECTORS, uncertainties, NOT_ANSWERED, 5, config, 0, has_unanswered_class=True)
    )
    queried = np.flatnonzero(assignments > NOT_QUERIED)
    assert queried.min() >= 420
    assert len(centres) == 5
    assert set(assignments[queried]) == set(range(5))


@pytest.mark.parametrize("answered_count", [200, 595, 600])
def test_answered_images_are_left_out_however_many_are_asked_about(answered_count: int) -> None:
    config = replace(Config().cluster, query_strategy="uncertain", uncertain_fraction=1.0)
    is_answered = np.arange(600) < answered_count
    uncertainties = np.ones(600, np.float32)
    assignments, _ = drain_events(
        cluster_uncertain_images(VECTORS, uncertainties, is_answered, 3, config, 0, has_unanswered_class=False)
    )
    queried = assignments > NOT_QUERIED
    assert queried.any()
    assert answered_count == 600 or not queried[is_answered].any()


@pytest.mark.parametrize("has_unanswered_class", [False, True])
@pytest.mark.parametrize(
    ("factor", "mean_uncertainty", "answered_and_not"),
    [
        (0.0, 0.01, (0.25, 0.25)),
        (3.0, 0.5, (1.0, 1.0)),
        (3.0, 0.1, (0.3, 0.3)),
        (3.0, 0.05, (0.15, 0.25)),
        (3.0, 0.02, (0.06, 0.25)),
        (3.0, 0.001, (0.03, 0.25)),
    ],
)
def test_the_surer_the_labels_the_fewer_images_count_as_uncertain(
    factor: float, mean_uncertainty: float, answered_and_not: tuple[float, float], has_unanswered_class: bool
) -> None:
    expected = answered_and_not[has_unanswered_class]
    config = ClusterConfig(query_strategy="uncertain", uncertain_fraction=0.25, uncertainty_factor=factor)
    fraction = compute_uncertain_fraction(config, mean_uncertainty, has_unanswered_class=has_unanswered_class)
    assert fraction == pytest.approx(expected)
    uncertainties = 2 * mean_uncertainty * np.linspace(0, 1, 600, dtype=np.float32)
    assignments, _ = drain_events(
        cluster_uncertain_images(
            VECTORS, uncertainties, NOT_ANSWERED, 1, config, 0, has_unanswered_class=has_unanswered_class
        )
    )
    assert np.flatnonzero(assignments > NOT_QUERIED).min() == 600 - round(600 * expected)


def test_all_strategy_queries_every_image() -> None:
    assignments, centres = drain_events(cluster_all_images(VECTORS, 5, 0))
    assert set(assignments) == set(range(5))
    assert len(centres) == 5

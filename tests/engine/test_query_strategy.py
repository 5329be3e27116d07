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
    assignments, centres = drain_events(cluster_uncertain_images(VECTORS, uncertainties, 5, config, 2, 0))
    queried = np.flatnonzero(assignments > NOT_QUERIED)
    assert queried.min() >= 420
    assert len(centres) == 5
    assert set(assignments[queried]) == set(range(5))


@pytest.mark.parametrize(
    ("decay", "expected"), [(1.0, [0.25, 0.25, 0.25, 0.25, 0.25]), (0.5, [0.25, 0.125, 0.0625, 0.03125, 0.03])]
)
def test_later_rounds_ask_about_fewer_images(decay: float, expected: list[float]) -> None:
    config = ClusterConfig(query_strategy="uncertain", uncertain_fraction=0.25, uncertain_decay=decay)
    assert [compute_uncertain_fraction(config, number) for number in range(2, 7)] == expected
    assert compute_uncertain_fraction(replace(config, uncertain_fraction=0.01), 6) == 0.01
    uncertainties = np.linspace(0, 1, 600, dtype=np.float32)
    assignments, _ = drain_events(cluster_uncertain_images(VECTORS, uncertainties, 2, config, 4, 0))
    assert np.flatnonzero(assignments > NOT_QUERIED).min() >= 600 * (1 - expected[2]) - 1


def test_all_strategy_queries_every_image() -> None:
    assignments, centres = drain_events(cluster_all_images(VECTORS, 5, 0))
    assert set(assignments) == set(range(5))
    assert len(centres) == 5

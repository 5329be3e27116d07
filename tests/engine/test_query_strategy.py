"""Tests of the query strategies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vaetui.engine.clusters import NOT_QUERIED
from vaetui.engine.config import Config
from vaetui.engine.query_strategy import cluster_all_images, cluster_uncertain_images
from vaetui.runtime.session_runner import drain_events

VECTORS = np.random.default_rng(0).standard_normal((600, 2)).astype(np.float32)


def test_uncertain_strategy_queries_only_the_most_uncertain_images() -> None:
    uncertainties = np.linspace(0, 1, 600, dtype=np.float32)
    config = replace(Config().cluster, query_strategy="uncertain", uncertain_fraction=0.3, oversample=4)
    assignments, centres = drain_events(cluster_uncertain_images(VECTORS, uncertainties, 5, config, 0))
    queried = np.flatnonzero(assignments > NOT_QUERIED)
    assert queried.min() >= 420
    assert len(centres) == 5
    assert set(assignments[queried]) == set(range(5))


def test_all_strategy_queries_every_image() -> None:
    assignments, centres = drain_events(cluster_all_images(VECTORS, 5, 0))
    assert set(assignments) == set(range(5))
    assert len(centres) == 5

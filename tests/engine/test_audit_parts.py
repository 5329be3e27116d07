"""The share of right labels in a part of the labels, such as those of a minimum confidence."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from vaetui.engine.audit import AuditPopulation, draw_audit
from vaetui.engine.audit_estimate import estimate_part
from vaetui.engine.audit_plans import PLANS

COUNT = 6_000


def draw_population(seed: int) -> tuple[AuditPopulation, NDArray[np.int64]]:
    """Return labels whose share of errors is their doubt, and the true classes."""
    generator = np.random.default_rng(seed)
    doubts = (0.4 * generator.random(COUNT) ** 2).astype(np.float32)
    class_ids = generator.integers(0, 10, COUNT)
    true_ids = np.where(generator.random(COUNT) < doubts, (class_ids + 1) % 10, class_ids)
    is_answered = np.arange(COUNT) < 100
    true_ids[is_answered] = class_ids[is_answered]
    second_ids = (class_ids + 1) % 10
    return AuditPopulation(class_ids, doubts, is_answered, is_answered, second_ids, 10), true_ids


def test_the_interval_of_a_part_holds_its_true_share() -> None:
    is_inside = []
    for seed in range(60):
        population, true_ids = draw_population(seed)
        sample = draw_audit(PLANS["full"], population, np.random.default_rng(seed))
        seen_ids = np.where(sample.is_planted, sample.answered_class_ids, true_ids[sample.image_indices])
        is_part = population.doubts < 0.1
        size, answered_size = (
            int((is_part & flags).sum()) for flags in (~population.is_answered, population.is_answered)
        )
        is_drawn = is_part[sample.image_indices]
        counts, share = estimate_part(sample, seen_ids, is_drawn, size, answered_size)
        is_counted = is_drawn & ~sample.is_planted
        assert counts.checked == is_counted.sum()
        assert counts.wrong == (is_counted & (seen_ids != sample.class_ids)).sum()
        assert share is not None
        true_share = float((true_ids == population.class_ids)[is_part].mean())
        is_inside.append(share.low <= true_share <= share.high)
    assert np.mean(is_inside) >= 0.9


def test_a_part_with_few_checks_has_no_share() -> None:
    population, true_ids = draw_population(0)
    sample = draw_audit(PLANS["quick"], population, np.random.default_rng(0))
    is_part = np.arange(len(sample)) < 19
    counts, share = estimate_part(sample, true_ids[sample.image_indices], is_part, 500, 0)
    assert (counts.checked, share) == (19, None)
    is_part = np.arange(len(sample)) < 20
    assert estimate_part(sample, true_ids[sample.image_indices], is_part, 500, 0)[1] is not None


def test_a_part_with_more_checks_than_labels_has_the_share_of_its_checks() -> None:
    population, true_ids = draw_population(0)
    sample = draw_audit(PLANS["quick"], population, np.random.default_rng(0))
    is_part = np.arange(len(sample)) < 25  # a cross-validated confidence may choose more than the calibration does
    counts, share = estimate_part(sample, true_ids[sample.image_indices], is_part, 3, 0)
    assert share is not None
    assert share.estimate == pytest.approx(1 - counts.wrong / counts.checked)

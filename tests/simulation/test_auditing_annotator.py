"""Simulated audits: errors at the given rate, one key per mark, and figures of images that were not checked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.idx import write_small_mnist
from tests.simulation.simulated_sessions import ANNOTATOR_CONFIG, simulate_session
from vaetui.session import lifecycle
from vaetui.simulation.auditing_annotator import see_classes


def test_an_annotator_without_errors_sees_the_truth() -> None:
    true_class_ids = np.arange(1_000) % 7
    seen = see_classes(true_class_ids, np.full(1_000, -1), 7, 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(seen, true_class_ids)


def test_wrong_checks_overlook_wrong_labels_and_name_another_class_elsewhere() -> None:
    true_class_ids = np.arange(20_000) % 7
    generator = np.random.default_rng(0)
    shown_class_ids = np.where(np.arange(20_000) < 10_000, true_class_ids, (true_class_ids + 1) % 7)
    seen = see_classes(true_class_ids, shown_class_ids, 7, 0.05, generator)
    is_error = seen != true_class_ids
    assert is_error[:10_000].mean() == pytest.approx(0.05, abs=0.01)
    assert is_error[10_000:].mean() == pytest.approx(0.05, abs=0.01)
    assert (seen[10_000:] == shown_class_ids[10_000:])[is_error[10_000:]].all()
    blind = see_classes(true_class_ids, np.full(20_000, -1), 7, 0.05, generator)
    assert (blind != true_class_ids).mean() == pytest.approx(0.05, abs=0.01)
    assert set(blind) == set(range(7))


@pytest.mark.usefixtures("home")
def test_a_simulated_audit_is_reported_and_kept(digits: Path) -> None:
    config = replace(ANNOTATOR_CONFIG, audit_plan="quick", error_rate=0.0)
    result = simulate_session("audited", digits, config)
    unaudited = simulate_session("plain", digits, replace(config, audit_plan=None))
    assert unaudited.audit is None
    assert result.audit is not None
    assert {"version", "plan", "estimate", "low", "high", "checked", "keys", "catch_found", "catch_planted"} < set(
        result.audit
    )
    assert unaudited.exported is not None
    assert result.audit["low"] <= unaudited.exported.accuracy <= result.audit["high"]
    wrong_on_pages = sum(stratum["wrong"] for stratum in result.audit["strata"][1:])
    page_count = 3
    marks = wrong_on_pages + result.audit["catch_found"]
    assert result.audit["keys"] == pytest.approx(30 + page_count + marks, abs=page_count)
    assert result.audit["catch_found"] == result.audit["catch_planted"]
    assert json.loads(json.dumps(result.to_dict()))["audit"] == result.audit
    session = lifecycle.resume("audited")
    assert [item.to_dict() for item in session.audits.results] == [result.audit]
    session.close()


@pytest.mark.usefixtures("home")
def test_a_run_whose_images_were_all_reviewed_ends_without_an_audit(tmp_path: Path) -> None:
    data = write_small_mnist(tmp_path / "few", train=20, test=10)
    config = replace(ANNOTATOR_CONFIG, audit_plan="quick", answers_per_round=40, review_answers=30)
    result = simulate_session("few", data, config)
    assert result.audit is None
    assert result.exported is not None

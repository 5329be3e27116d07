"""Estimates of the accuracy are given only where the networks have learned every class."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.command_line import run_vaetui
from tests.session.conftest import RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.classes import AddClass
from vaetui.session.session import Session

pytestmark = pytest.mark.usefixtures("home")
CONFIG = replace(PROPAGATION_CONFIG, network=replace(PROPAGATION_CONFIG.network, classes=4))


def answer(session: Session, *class_ids: int) -> None:
    """Answer the first clusters of the round with these classes."""
    for cluster, class_id in zip(session.round_view().clusters, class_ids, strict=False):
        session.record_answer(cluster.path, ClassAnswer(class_id))


def close_and_train(session: Session) -> None:
    session.close_round()
    list(session.advance())


def confidences(session: Session) -> list[float | None]:
    """Return the mean confidences that are shown; expected accuracies are shown for the same epochs."""
    epochs = session.training_curves().finished_epochs
    assert [epoch.expected_accuracy is None for epoch in epochs] == [epoch.mean_confidence is None for epoch in epochs]
    return [epoch.mean_confidence for epoch in session.training_curves().finished_epochs]


def test_no_epoch_before_the_last_class_was_learned_has_an_estimate(runs: RunTemplates) -> None:
    session = runs.open("partial", CONFIG)
    answer(session, 0, 1, 2)
    close_and_train(session)
    curves = session.training_curves()
    assert confidences(session) == [None, None]
    assert curves.unanswered_class_ids == (3,)
    assert all(epoch.mean_confidence is not None for epoch in session._repository.list_epochs())
    status = json.loads(run_vaetui("show", "partial", "--json").stdout)
    assert status["unanswered_classes"] == ["3"]
    assert status["mean_confidence"] == [None, None]
    text = run_vaetui("show", "partial").stdout
    assert "3. No answer yet for: 3\n" in text
    assert status["expected_accuracy"] == [None, None]
    assert "expected accuracy" not in text
    answer(session, 3)
    session.close_round()
    assert session.training_curves().unanswered_class_ids == ()
    assert confidences(session) == [None, None], "the networks have not learned the class yet"
    list(session.advance())
    last = confidences(session)[-1]
    assert confidences(session)[:2] == [None, None]
    assert last is not None
    session.close()
    status = json.loads(run_vaetui("show", "partial", "--json").stdout)
    assert status["unanswered_classes"] == []
    assert status["mean_confidence"] == [None, None, last]
    (expected,) = [share for share in status["expected_accuracy"] if share is not None]
    assert f"~{min(max(round(100 * expected), 1), 99)} %  (uncalibrated)" in run_vaetui("show", "partial").stdout


def test_a_new_class_withdraws_the_estimates(runs: RunTemplates) -> None:
    session = runs.open("widened", CONFIG)
    answer(session, 0, 1, 2, 3)
    close_and_train(session)
    assert confidences(session)[-1] is not None
    session.edit_classes(AddClass(4, "owl"))
    close_and_train(session)
    assert set(confidences(session)) == {None}
    assert session.training_curves().unanswered_class_ids == (4,)
    assert session.summary().unanswered_class_ids == (4,)
    session.close()


@pytest.mark.parametrize("class_ids", [(0, 1), (2, 3)])
def test_only_classes_that_were_named_are_counted_in_the_summary(
    runs: RunTemplates, class_ids: tuple[int, ...]
) -> None:
    session = runs.open("counted", replace(CONFIG, training=replace(CONFIG.training, rounds=1)))
    answer(session, *class_ids)
    close_and_train(session)
    counts = dict(session.summary().class_counts)
    assert {class_id for class_id, count in counts.items() if count} <= set(class_ids)
    assert sum(counts.values()) > 0
    session.close()

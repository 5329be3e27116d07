"""Tests of the sentences about the labels at the start of a round and at the end of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.tui.scripted_session import ScriptedLabels, ScriptedSession, create_epoch
from vaetui.engine.answers import ClassAnswer
from vaetui.session.views import Disagreement
from vaetui.tui.keymap import format_default_key
from vaetui.tui.presenters.label_facts import LabelFacts, collect_label_facts


def create_session(accuracies: Sequence[float | None], churns: Sequence[float | None]) -> ScriptedSession:
    """Return a session after a warm-up epoch and one epoch for each expected accuracy."""
    session = ScriptedSession(has_test_labels=False)
    session.finished_epochs = [replace(create_epoch(1), test_accuracy=None)]
    for index, (accuracy, churn) in enumerate(zip(accuracies, churns, strict=True)):
        epoch = create_epoch(2 + index, 16 * (1 + index))
        session.finished_epochs.append(
            replace(
                epoch, test_accuracy=None, mean_confidence=0.987, expected_accuracy=accuracy, prediction_churn=churn
            )
        )
    session.disagreement = Disagreement(0.05, ((4, 9, 300), (3, 5, 20)))
    return session


def collect(session: ScriptedSession, unanswered_ids: Sequence[int] = (), *, is_round_open: bool = False) -> LabelFacts:
    return collect_label_facts(session, unanswered_ids, format_default_key, is_round_open=is_round_open)


def test_all_that_is_known_is_said_without_decimals_and_without_the_confidence_of_the_classifier() -> None:
    session = create_session([0.926, 0.953, 0.976], [None, 0.092, 0.031])
    assert collect(session).list_sentences() == [
        "Expected accuracy about 98 % (not audited)",
        "Round 3 brought about 2 points: another round would bring little; check the labels with v",
        "Classifier and graph differ on 5 % of the images, most of them 4 and 9",
    ]


def test_changes_of_the_predictions_are_said_where_no_gain_is_known() -> None:
    session = create_session([None, 0.953], [None, 0.092])
    assert collect(session).list_sentences()[:2] == [
        "Expected accuracy about 95 % (not audited)",
        "The last epoch changed 9.2 % of the predictions",
    ]


@pytest.mark.parametrize(
    ("accuracies", "cells", "text"),
    [
        ([0.926, 0.953, 0.976], 50, "This round would bring little; check with v"),
        ([0.926, 0.953, 0.976], 80, "Round 3 brought about 2 points: this would bring little; check with v"),
        ([0.626, 0.673, 0.706], 50, "Expected accuracy about 71 % (not audited)"),
        (
            [0.626, 0.673, 0.706],
            130,
            "Expected accuracy about 71 % (not audited). "
            "Round 3 brought about 3 points: this round may bring about 2 points",
        ),
    ],
)
def test_most_important_fact_comes_first_where_room_is_short(
    accuracies: Sequence[float], cells: int, text: str
) -> None:
    session = create_session(accuracies, [None, 0.092, 0.031 if accuracies[-1] > 0.9 else 0.08])
    assert collect(session, is_round_open=True).fit(cells) == text


def test_classes_without_an_answer_replace_every_expectation() -> None:
    session = create_session([0.9, 0.95], [None, 0.01])
    facts = collect(session, [2, 3])
    assert facts.list_sentences() == ["No answer yet for: 2, 3"]
    assert facts.fit(78) == "No answer yet for: 2, 3"


def test_next_page_of_a_review_is_described_once_the_labels_are_loaded() -> None:
    session = create_session([0.626, 0.673, 0.706], [None, 0.092, 0.08])
    assert not collect(session).review
    session.labellings.current = ScriptedLabels("0123456789ab")
    errors = session.reviews.expected_errors_on_next_page(session.reviews.classes()[0].class_id, 32)
    assert collect(session).review[0] == (
        f"The next page of the review (w) may correct about {round(errors)} of 32 images labelled 0"
    )
    assert collect(session).review[0] in collect(session).list_sentences()


def test_nothing_is_said_before_the_first_labels() -> None:
    session = ScriptedSession(has_test_labels=False)
    assert collect(session).list_sentences() == []
    session.finished_epochs = [replace(create_epoch(1), test_accuracy=None)]
    assert collect(session).list_sentences() == []


def test_after_an_audit_the_review_is_advised() -> None:
    session = create_session([0.926, 0.953, 0.976], [None, 0.092, 0.031])
    list(session.audits.start("quick"))
    while (view := session.audits.view) is not None and view.part != "done":
        session.audits.record([(item.position, ClassAnswer(item.shown_class_id or 0)) for item in view.items])
    (result,) = session.audits.results
    session.audits.results = (replace(result, epoch=4),)
    assert collect(session).gain[0].endswith("another round would bring little; correct single labels with w")
    session.audits.results = (replace(result, epoch=3),)
    assert collect(session).gain[0].endswith("another round would bring little; check the labels with v")


def test_audit_counts_as_older_after_another_epoch_or_other_answers() -> None:
    session = create_session([0.926, 0.953], [None, 0.092])
    list(session.audits.start("quick"))
    while (view := session.audits.view) is not None and view.part != "done":
        session.audits.record([(item.position, ClassAnswer(item.shown_class_id or 0)) for item in view.items])
    (result,) = session.audits.results
    session.audits.results = (replace(result, epoch=3),)
    assert "of the labels are right (95 % interval" in collect(session).accuracy[0]
    assert not any("xpected accuracy" in sentence for sentence in collect(session).list_sentences())
    session.audits.results = (replace(result, epoch=2),)
    assert collect(session).accuracy[0].startswith("Expected accuracy about 95 % (not audited). Audited after round ")
    assert collect(session, [2]).accuracy[0].startswith("Audited after round ")
    session.audits.results = (replace(result, epoch=3),)
    session.labellings.current = ScriptedLabels(result.version)
    assert "of the labels are right" in collect(session).accuracy[0]
    session.audits.results = (replace(result, epoch=3, version="older"),)
    assert collect(session).accuracy[0].startswith("Expected accuracy about 95 % (not audited). Audited after round ")

"""Tests of the expected gain of another round or review page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tui.scripted_session import create_epoch
from vaetui.engine.config import TrainingConfig
from vaetui.engine.events import EpochEnded
from vaetui.session.expected_gain import ExpectedGain, Outlook, RoundGain, expect_gain, expect_page_corrections

TRAINING = TrainingConfig(warmup_epochs=1, rounds=5, epochs_per_round=1)


def create_epochs(
    expected: list[float | None],
    churns: list[float | None] | None = None,
    test: list[float | None] | None = None,
) -> list[EpochEnded]:
    """Return the warm-up epoch and one epoch for each value."""
    churns = churns or [None] * len(expected)
    test = test or [None] * len(expected)
    epochs = [replace(create_epoch(1), test_accuracy=None)]
    for index, values in enumerate(zip(expected, churns, test, strict=True)):
        accuracy, churn, test_accuracy = values
        epochs.append(
            replace(
                create_epoch(2 + index, 16 * (1 + index)),
                expected_accuracy=accuracy,
                prediction_churn=churn,
                test_accuracy=test_accuracy,
            )
        )
    return epochs


def expect(expected: list[float | None], churns: list[float | None] | None = None) -> ExpectedGain:
    gain = expect_gain(TRAINING, create_epochs(expected, churns))
    assert gain is not None
    return gain


@pytest.mark.parametrize(
    ("expected", "churns", "next_gain", "outlook"),
    [
        # MNIST, scikit-learn digits, Fashion-MNIST, blood cells: figures of simulated runs.
        ([0.88, 0.93, 0.97], [None, 0.092, 0.031], 0.0075, "little"),
        ([0.91, 0.88, 0.84], [None, 0.06, 0.015], 0.0, "little"),
        ([0.62, 0.66, 0.71], [None, 0.178, 0.084], 0.021, "some"),
        ([0.34, 0.29, 0.25], [None, 0.284, 0.328], 0.0, "unsettled"),
        ([0.88, 0.95, 0.91], [None, 0.032, 0.11], 0.0, "unsettled"),
        ([0.4, 0.5, 0.7], None, 0.075, "some"),
        ([0.97, 0.97, 0.97], [None, 0.0, 0.0], 0.0, "little"),
    ],
)
def test_next_gain_is_bounded_by_last_gain_errors_and_changes(
    expected: list[float | None], churns: list[float | None] | None, next_gain: float, outlook: Outlook
) -> None:
    gain = expect(expected, churns)
    assert gain.next_gain == pytest.approx(next_gain, abs=1e-6)
    assert gain.outlook == outlook
    assert not gain.is_measured


@pytest.mark.parametrize(
    ("accuracies", "churns", "next_gain", "outlook"),
    [
        ([0.926, 0.953, 0.976], [None, 0.092, 0.031], 0.006, "little"),
        ([0.909, 0.964], [None, 0.060], 0.009, "little"),
        ([0.656, 0.681, 0.708], [None, 0.178, 0.084], 0.0135, "some"),
        ([0.26, 0.265, 0.272], [None, 0.284, 0.328], 0.0035, "unsettled"),
        ([0.959, 0.979, 0.886], [None, 0.032, 0.11], 0.0, "lost"),
    ],
)
def test_true_labels_also_tell_that_a_round_lost_accuracy(
    accuracies: list[float | None], churns: list[float | None], next_gain: float, outlook: Outlook
) -> None:
    gain = expect_gain(TRAINING, create_epochs([None] * len(accuracies), churns, accuracies))
    assert gain is not None
    assert gain.next_gain == pytest.approx(next_gain, abs=1e-6)
    assert gain.outlook == outlook
    assert gain.is_measured


def test_the_last_two_rounds_are_reported() -> None:
    gain = expect([0.5, 0.7, 0.8, 0.85])
    assert gain.rounds == (RoundGain(3, pytest.approx(0.1)), RoundGain(4, pytest.approx(0.05)))


@pytest.mark.parametrize(
    "expected",
    [[], [0.7], [0.6, 0.7], [0.6, None, 0.7], [0.6, 0.7, None], [0.5, 0.6, 0.7, None], [0.5, 0.7, None, 0.8]],
)
def test_nothing_is_expected_from_a_single_comparable_accuracy_or_across_a_gap(expected: list[float | None]) -> None:
    assert expect_gain(TRAINING, create_epochs(expected)) is None


def test_a_round_without_answers_tells_nothing_about_the_next_one() -> None:
    *epochs, last = create_epochs([0.6, 0.7, 0.704])
    assert expect_gain(TRAINING, [*epochs, last]) is not None
    assert expect_gain(TRAINING, [*epochs, replace(last, answer_count=epochs[-1].answer_count)]) is None


def test_test_accuracies_replace_the_expected_ones() -> None:
    gain = expect_gain(TRAINING, create_epochs([0.9, 0.91], test=[0.5, 0.7]))
    assert gain is not None
    assert gain.is_measured
    assert gain.rounds[0].gain == pytest.approx(0.2)


def test_a_round_brings_no_more_than_the_predictions_that_it_changed() -> None:
    assert expect([0.6, 0.7, 0.8], [None, 0.2, 0.03]).rounds == (RoundGain(3, pytest.approx(0.03)),)


def test_a_fall_of_the_expected_accuracy_counts_as_no_gain() -> None:
    assert expect([0.6, 0.8, 0.7], [None, 0.2, 0.03]).rounds == (RoundGain(3, 0.0),)


def test_the_last_epoch_of_a_round_counts_and_the_changes_of_all_its_epochs_add_up() -> None:
    training = replace(TRAINING, epochs_per_round=2)
    epochs = create_epochs([0.2, 0.3, 0.4, 0.5, 0.6, 0.7], [None, 0.5, 0.5, 0.4, 0.2, 0.1])
    gain = expect_gain(training, epochs)
    assert gain is not None
    assert gain.rounds == (RoundGain(3, pytest.approx(0.2)),)
    assert gain.churn == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("expected_errors", "shown", "changed", "corrections"),
    [(8.0, 0, 0, 8.0), (8.0, 96, 0, 2.0), (0.0, 96, 24, 6.0), (2.0, 32, 2, 2.0)],
)
def test_page_is_expected_to_correct_what_confidences_and_the_last_pages_say(
    expected_errors: float, shown: int, changed: int, corrections: float
) -> None:
    assert expect_page_corrections(expected_errors, 32, shown, changed) == pytest.approx(corrections)

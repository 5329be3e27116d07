"""Tests of the sentence about the gain of a round."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tui.scripted_session import create_epoch
from vaetui.tui.presenters.prediction_changes import describe_prediction_changes


@pytest.mark.parametrize(
    ("answer_count", "confidence", "churn", "text"),
    [
        (16, None, None, ""),
        (0, 0.1, None, ""),
        (16, 0.961, None, "Estimated accuracy 96.1 % (model's own confidence)"),
        (
            32,
            0.97,
            0.031,
            "Estimated accuracy 97.0 % (model's own confidence). The last epoch changed 3.1 % of the predictions",
        ),
        (32, None, 0.031, "The last epoch changed 3.1 % of the predictions"),
        (48, 0.99, 0.004, "The last epoch changed 0.4 % of the predictions: another round would gain little"),
    ],
)
def test_gain_is_described_only_for_measured_epochs_with_answers(
    answer_count: int, confidence: float | None, churn: float | None, text: str
) -> None:
    epoch = replace(create_epoch(3, answer_count), mean_confidence=confidence, prediction_churn=churn)
    assert describe_prediction_changes([create_epoch(1), epoch]).endswith(text)
    assert bool(describe_prediction_changes([epoch])) == bool(text)


@pytest.mark.parametrize(("confidence", "churn"), [(0.961, None), (0.961, 0.2), (0.99, 0.004), (None, None)])
def test_classes_without_an_answer_replace_estimate_and_advice(confidence: float | None, churn: float | None) -> None:
    epoch = replace(create_epoch(3, 16), mean_confidence=confidence, prediction_churn=churn)
    assert describe_prediction_changes([epoch], ["cat", "owl"]) == "No answer yet for: cat, owl"


def test_gain_is_empty_before_the_first_epoch() -> None:
    assert describe_prediction_changes([]) == ""

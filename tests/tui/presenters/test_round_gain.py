"""What a round of answers has gained, in a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tui.scripted_session import create_epoch
from vaetui.tui.presenters.round_gain import describe_round_gain


@pytest.mark.parametrize(
    ("answers", "expected", "changed", "words"),
    [
        (16, None, None, ""),
        (0, 0.1, None, ""),
        (16, 0.953, None, "by its own confidence the classifier has 95.3 % right"),
        (32, 0.97, 0.031, "by its own confidence the classifier has 97.0 % right, 3.1 % changed in the last epoch"),
        (48, 0.99, 0.004, "0.4 % changed in the last epoch: another round is hardly worth it"),
    ],
)
def test_labels_are_told_only_where_they_were_looked_at(
    answers: int, expected: float | None, changed: float | None, words: str
) -> None:
    ended = replace(create_epoch(3, answers), mean_confidence=expected, prediction_churn=changed)
    assert describe_round_gain([create_epoch(1), ended]).endswith(words)
    assert bool(describe_round_gain([ended])) == bool(words)


def test_before_the_first_epoch_nothing_is_told() -> None:
    assert describe_round_gain([]) == ""

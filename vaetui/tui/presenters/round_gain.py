"""What the last round of answers has gained, in a sentence; it does not know the truth."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.events import EpochEnded
from vaetui.tui.presenters.number_format import format_percent

MIN_CHURN = 0.01
"""Share of changed labels below which another round is hardly worth a person's time: about as many are wrong then."""

LOW_GAIN_MESSAGE = "another round is hardly worth it"
"""What is said then."""


def describe_round_gain(epochs: Sequence[EpochEnded]) -> str:
    """Tell what the last finished epoch made of the labels; empty where that was not looked at, or without labels."""
    last = epochs[-1] if epochs else None
    if last is None or last.mean_confidence is None or not last.answer_count:
        return ""
    words = f"by its own confidence the classifier has {format_percent(last.mean_confidence).strip()} % right"
    if last.prediction_churn is None:
        return words
    words += f", {format_percent(last.prediction_churn).strip()} % changed in the last epoch"
    return words + (f": {LOW_GAIN_MESSAGE}" if has_low_churn(epochs) else "")


def has_low_churn(epochs: Sequence[EpochEnded]) -> bool:
    """Tell whether hardly any label changed in the last finished epoch."""
    return bool(epochs) and epochs[-1].prediction_churn is not None and epochs[-1].prediction_churn < MIN_CHURN

"""How many predictions the last epoch changed, as a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.events import EpochEnded
from vaetui.tui.presenters.number_format import format_percent

MIN_CHURN = 0.01
"""Share of changed predictions below which another round gains little: about as many predictions are wrong then."""

LOW_GAIN_MESSAGE = "another round would gain little"
"""The advice shown below `MIN_CHURN`."""


def describe_prediction_changes(epochs: Sequence[EpochEnded]) -> str:
    """Return the estimated accuracy and the changed predictions of the last epoch; "" if it measured none."""
    last_epoch = epochs[-1] if epochs else None
    if last_epoch is None or last_epoch.mean_confidence is None or not last_epoch.answer_count:
        return ""
    text = f"Estimated accuracy {format_percent(last_epoch.mean_confidence).strip()} % (model's own confidence)"
    if last_epoch.prediction_churn is None:
        return text
    text += f". The last epoch changed {format_percent(last_epoch.prediction_churn).strip()} % of the predictions"
    return text + (f": {LOW_GAIN_MESSAGE}" if has_low_churn(epochs) else "")


def has_low_churn(epochs: Sequence[EpochEnded]) -> bool:
    """Return whether the last epoch changed less than `MIN_CHURN` of the predictions."""
    return bool(epochs) and epochs[-1].prediction_churn is not None and epochs[-1].prediction_churn < MIN_CHURN

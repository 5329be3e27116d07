"""How many predictions the last epoch changed, as a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from vaetui.engine.events import EpochEnded
from vaetui.tui.presenters.number_format import format_percent
from vaetui.tui.presenters.unanswered_classes import format_unanswered_classes

MIN_CHURN = 0.01
"""Share of changed predictions below which another round gains little: about as many predictions are wrong then."""

LOW_GAIN_MESSAGE = "another round would gain little"
"""The advice shown below `MIN_CHURN`."""


def describe_prediction_changes(epochs: Sequence[EpochEnded], unanswered_names: Sequence[str] = ()) -> str:
    """Return the estimated accuracy and the changed predictions of the last epoch; "" if it measured none.

    While a class has no answer, the networks cannot predict it and are certain of wrong classes: the names of these
    classes replace the estimate.
    """
    last_epoch = epochs[-1] if epochs else None
    if last_epoch is None or not last_epoch.answer_count:
        return ""
    if unanswered_names:
        return format_unanswered_classes(unanswered_names)
    sentences = []
    if last_epoch.mean_confidence is not None:
        sentences.append(
            f"Estimated accuracy {format_percent(last_epoch.mean_confidence).strip()} % (model's own confidence)"
        )
    if last_epoch.prediction_churn is not None:
        text = f"The last epoch changed {format_percent(last_epoch.prediction_churn).strip()} % of the predictions"
        sentences.append(text + (f": {LOW_GAIN_MESSAGE}" if has_low_churn(epochs) else ""))
    return ". ".join(sentences)


def has_low_churn(epochs: Sequence[EpochEnded]) -> bool:
    """Return whether the last epoch changed less than `MIN_CHURN` of the predictions."""
    return bool(epochs) and epochs[-1].prediction_churn is not None and epochs[-1].prediction_churn < MIN_CHURN

"""The time until training pauses for answers, and the words for what comes next."""

from __future__ import annotations

from vaetui.engine.config import TrainingConfig, count_epochs, find_epoch_before_round
from vaetui.engine.events import BatchesTrained
from vaetui.tui.presenters.number_format import format_duration
from vaetui.tui.presenters.run_position import format_next_phase

FIRST_ROUND_COST = 0.13
"""Time from the last batch to the first clusters, in units of the time of training on all images once; measured."""
LATER_ROUND_COST = 0.28
"""The same for later rounds, which also propagate the earlier answers; measured."""


def estimate_question_seconds(
    training: TrainingConfig,
    event: BatchesTrained,
    next_round: int,
    images_per_s: float,
    image_count: int,
    measured_seconds: float = 0.0,
    seconds_since_event: float = 0.0,
) -> float | None:
    """Return the seconds until the next round, or the end if `next_round` is 0, can be shown; None if unknown.

    `measured_seconds` from the last batch to the clusters of an earlier round replace the estimate if they are longer.
    `seconds_since_event` count once all batches are trained.
    """
    last_epoch = find_epoch_before_round(training, next_round) if next_round else count_epochs(training)
    batches = (last_epoch - event.epoch + 1) * event.steps_per_epoch - event.step
    if not images_per_s or batches < 0:
        return None
    cost = FIRST_ROUND_COST if next_round == 1 else LATER_ROUND_COST
    seconds = max(measured_seconds, cost * image_count / images_per_s)
    if batches:
        return batches * training.batch_size / images_per_s + seconds
    return max(seconds - seconds_since_event, 0.0)


def describe_next_phase(next_round: int, round_count: int, seconds: float | None, is_brief: bool) -> str:
    """Return what follows training and when, in words that need no manual before the first round."""
    duration = "" if seconds is None else format_duration(seconds).strip()
    if next_round == 1:
        time = f" in {duration}" if is_brief else f": in about {duration}"
        return f"Training without labels. Then you name clusters{time if duration else ''}"
    time = f" · labelling in {duration}" if next_round else f" in {duration}"
    return f"next: {format_next_phase(next_round, round_count)}{time if duration else ''}"

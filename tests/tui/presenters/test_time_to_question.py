"""Tests of the time until the next question, and of the words for it."""

from __future__ import annotations

import pytest

from vaetui.engine.config import TrainingConfig
from vaetui.engine.events import BatchesTrained, Losses
from vaetui.tui.presenters.time_to_question import describe_next_phase, estimate_question_seconds

TRAINING = TrainingConfig(warmup_epochs=2, rounds=3, epochs_per_round=2, batch_size=100)
LOSSES = Losses(1.0, 1.0, 1.0)


def batches(epoch: int, step: int) -> BatchesTrained:
    return BatchesTrained(epoch, step, 50, LOSSES, 1000.0, 0.1)


@pytest.mark.parametrize(
    ("event", "next_round", "remaining_batches"),
    [
        (batches(1, 10), 1, 90),
        (batches(2, 10), 1, 40),
        (batches(3, 50), 2, 50),
        (batches(8, 25), 0, 25),
    ],
)
def test_all_batches_before_the_round_and_the_time_after_them_count(
    event: BatchesTrained, next_round: int, remaining_batches: int
) -> None:
    seconds = estimate_question_seconds(TRAINING, event, next_round, 1000.0, 5000, measured_seconds=7.0)
    assert seconds == pytest.approx(remaining_batches * 0.1 + 7.0)


def test_time_after_the_last_batch_is_estimated_before_it_is_measured() -> None:
    first = estimate_question_seconds(TRAINING, batches(2, 50), 1, 1000.0, 50_000)
    later = estimate_question_seconds(TRAINING, batches(4, 50), 2, 1000.0, 50_000)
    assert first is not None
    assert later is not None
    assert 0 < first < later, "later rounds also propagate the earlier answers"


def test_time_after_the_last_batch_passes() -> None:
    arguments = (TRAINING, batches(2, 50), 1, 1000.0, 5000, 7.0)
    assert estimate_question_seconds(*arguments, seconds_since_event=3.0) == pytest.approx(4.0)
    assert estimate_question_seconds(*arguments, seconds_since_event=30.0) == 0


@pytest.mark.parametrize("event", [batches(2, 10), batches(5, 10)])
def test_no_time_without_a_speed_or_for_an_epoch_of_another_round(event: BatchesTrained) -> None:
    speed = 0.0 if event.epoch == 2 else 1000.0
    assert estimate_question_seconds(TRAINING, event, 1, speed, 5000) is None


@pytest.mark.parametrize(
    ("next_round", "seconds", "is_brief", "text"),
    [
        (1, None, False, "Training without labels. Then you name clusters"),
        (1, 45.2, False, "Training without labels. Then you name clusters: in about 0:45"),
        (1, 45.2, True, "Training without labels. Then you name clusters in 0:45"),
        (2, 130.0, True, "next: round 2 of 4 · labelling in 2:10"),
        (2, None, True, "next: round 2 of 4"),
        (0, 4268.0, False, "next: summary in 1:11:08"),
        (0, None, False, "next: summary"),
    ],
)
def test_next_phase_is_described_with_its_time(
    next_round: int, seconds: float | None, is_brief: bool, text: str
) -> None:
    assert describe_next_phase(next_round, 4, seconds, is_brief) == text

"""Tests of the training schedule."""

from __future__ import annotations

import pytest

from vaetui.engine.config import (
    TrainingConfig,
    count_epochs,
    count_passes_per_epoch,
    count_steps_per_epoch,
    find_epoch_before_round,
    find_round_after_epoch,
    find_round_of_epoch,
)
from vaetui.engine.recipes import get_recipe


def test_schedule_of_the_paper_has_six_epochs_and_five_rounds() -> None:
    schedule = get_recipe("paper").training
    assert count_epochs(schedule) == 6
    assert [find_round_after_epoch(schedule, epoch) for epoch in range(7)] == [None, 1, 2, 3, 4, 5, None]
    assert [find_round_of_epoch(schedule, epoch) for epoch in range(1, 7)] == [None, 1, 2, 3, 4, 5]


def test_rounds_follow_after_epochs_per_round_epochs() -> None:
    schedule = TrainingConfig(warmup_epochs=2, rounds=2, epochs_per_round=3)
    assert count_epochs(schedule) == 8
    rounds_by_epoch = {epoch: find_round_after_epoch(schedule, epoch) for epoch in range(9)}
    assert {epoch: found for epoch, found in rounds_by_epoch.items() if found} == {2: 1, 5: 2}
    assert [find_epoch_before_round(schedule, round_number) for round_number in (1, 2)] == [2, 5]


@pytest.mark.parametrize(("image_count", "passes", "steps"), [(59_872, 1, 234), (1_000, 6, 24), (51, 101, 21)])
def test_epoch_passes_over_few_images_several_times(image_count: int, passes: int, steps: int) -> None:
    schedule = TrainingConfig(batch_size=256, min_batches=20)
    assert (count_passes_per_epoch(schedule, image_count), count_steps_per_epoch(schedule, image_count)) == (
        passes,
        steps,
    )

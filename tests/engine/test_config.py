"""Tests of the training schedule."""

from __future__ import annotations

import pytest

from vaetui.engine.config import (
    TrainingConfig,
    count_epoch_images,
    count_epochs,
    count_passes_per_epoch,
    count_steps_before_epoch,
    count_steps_per_epoch,
    find_current_epoch,
    find_epoch_before_round,
    find_round_after_epoch,
    find_round_of_epoch,
    shorten_warmup,
)
from vaetui.engine.recipes import RECIPES, get_recipe


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


@pytest.mark.parametrize(
    ("shape", "batches"),
    [
        ((1_500, 28, 28), None),
        ((1_500, 8, 8), None),
        ((1_500, 32, 32), 153),
        ((1_500, 64, 28), 100),
        ((1_500, 64, 64, 3), 100),
        ((12_799, 128, 128, 3), 100),
        ((12_800, 64, 64, 3), None),
        ((60_000, 28, 28), None),
    ],
)
def test_only_small_sets_of_large_images_have_less_warmup(shape: tuple[int, ...], batches: int | None) -> None:
    schedule = get_recipe("propagation").training
    assert shorten_warmup(schedule, shape).min_warmup_batches == batches
    assert shorten_warmup(get_recipe("paper").training, shape) == get_recipe("paper").training


def test_a_shorter_warmup_shortens_no_other_epoch() -> None:
    schedule = TrainingConfig(warmup_epochs=2, batch_size=100, min_batches=200, min_warmup_batches=60)
    passes = [count_passes_per_epoch(schedule, 1_000, epoch) for epoch in (1, 2, 3)]
    assert passes == [6, 6, 20]
    assert count_passes_per_epoch(schedule, 1_000) == 20
    steps = [count_steps_before_epoch(schedule, 1_000, epoch) for epoch in (1, 2, 3, 4, 5)]
    assert steps == [0, 60, 120, 320, 520]
    assert count_steps_per_epoch(schedule, 1_000, 2) == 60


@pytest.mark.parametrize(
    ("image_count", "epoch_images", "steps"), [(999, 999, 10), (1_000, 1_000, 10), (10**7, 1_000, 10)]
)
def test_epoch_of_a_large_set_takes_a_part_of_it(image_count: int, epoch_images: int, steps: int) -> None:
    schedule = TrainingConfig(batch_size=100, max_epoch_images=1_000)
    assert count_epoch_images(schedule, image_count) == epoch_images
    assert count_steps_per_epoch(schedule, image_count) == steps
    assert count_steps_before_epoch(schedule, image_count, 4) == 3 * steps


def test_part_of_a_large_set_is_passed_over_several_times_to_reach_the_fewest_batches() -> None:
    schedule = TrainingConfig(batch_size=100, max_epoch_images=1_000, min_batches=25)
    assert (count_passes_per_epoch(schedule, 10**6), count_steps_per_epoch(schedule, 10**6)) == (3, 30)


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_recipe_leaves_out_images_of_a_set_of_100_000(recipe: str) -> None:
    assert count_epoch_images(get_recipe(recipe).training, 100_000) == 100_000


def test_current_epoch_is_the_one_in_training_or_the_last_before_a_round() -> None:
    schedule = TrainingConfig(warmup_epochs=2, rounds=2, epochs_per_round=3)
    epochs = [find_current_epoch(schedule, finished, 1) for finished in (0, 1, 2)]
    assert epochs == [1, 2, 2]
    assert [find_current_epoch(schedule, finished, 2) for finished in (2, 3, 4, 5)] == [3, 4, 5, 5]
    assert [find_current_epoch(schedule, finished, 0) for finished in (5, 7, 8)] == [6, 8, 8]

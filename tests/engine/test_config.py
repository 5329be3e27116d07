"""Every knob, and the schedule that follows from them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vaetui.engine.config import (
    Config,
    TrainingConfig,
    count_epochs,
    count_passes,
    count_steps,
    find_epoch_before_round,
    find_round_after_epoch,
)
from vaetui.engine.config_text import from_json, to_json
from vaetui.engine.recipes import get_recipe
from vaetui.errors import UserError


def test_a_configuration_survives_json() -> None:
    config = replace(Config(seed=5), network=replace(Config().network, z_dim=3, channels=(8, 9)))
    assert from_json(to_json(config)) == config


def test_knobs_of_another_version_are_passed_over() -> None:
    assert from_json('{"seed": 3, "later": 1, "loss": {"beta": 2.0, "delta": 1}}').loss.beta == 2.0


def test_the_papers_schedule_is_six_epochs_with_five_rounds() -> None:
    schedule = get_recipe("paper").training
    assert count_epochs(schedule) == 6
    assert [find_round_after_epoch(schedule, epoch) for epoch in range(7)] == [None, 1, 2, 3, 4, 5, None]


def test_rounds_can_lie_several_epochs_apart() -> None:
    schedule = TrainingConfig(warmup_epochs=2, rounds=2, epochs_per_round=3)
    assert count_epochs(schedule) == 8
    assert [find_round_after_epoch(schedule, epoch) for epoch in range(9)] == [
        None,
        None,
        1,
        None,
        None,
        2,
        None,
        None,
        None,
    ]
    assert [find_epoch_before_round(schedule, round) for round in (1, 2)] == [2, 5]


@pytest.mark.parametrize(("count", "passed", "stepped"), [(59_872, 1, 234), (1_000, 6, 24), (51, 101, 21)])
def test_few_images_are_gone_through_several_times_in_an_epoch(count: int, passed: int, stepped: int) -> None:
    schedule = TrainingConfig(batch_size=256, min_batches=20)
    assert (count_passes(schedule, count), count_steps(schedule, count)) == (passed, stepped)


def test_an_unknown_recipe_is_refused_with_those_known() -> None:
    with pytest.raises(UserError, match="no recipe 'soup'; choose one of: neighbours, paper"):
        get_recipe("soup")

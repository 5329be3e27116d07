"""Every knob, and the schedule that follows from them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vaetui.engine.config import Config, TrainingConfig, epoch_before, passes, round_after, steps, total_epochs
from vaetui.engine.config_text import from_json, to_json
from vaetui.engine.recipes import recipe
from vaetui.errors import Trouble


def test_a_configuration_survives_json() -> None:
    config = replace(Config(seed=5), network=replace(Config().network, z_dim=3, channels=(8, 9)))
    assert from_json(to_json(config)) == config


def test_knobs_of_another_version_are_passed_over() -> None:
    assert from_json('{"seed": 3, "later": 1, "loss": {"beta": 2.0, "delta": 1}}').loss.beta == 2.0


def test_the_papers_schedule_is_six_epochs_with_five_rounds() -> None:
    schedule = recipe("paper").training
    assert total_epochs(schedule) == 6
    assert [round_after(schedule, epoch) for epoch in range(7)] == [None, 1, 2, 3, 4, 5, None]


def test_rounds_can_lie_several_epochs_apart() -> None:
    schedule = TrainingConfig(warmup=2, rounds=2, epochs=3)
    assert total_epochs(schedule) == 8
    assert [round_after(schedule, epoch) for epoch in range(9)] == [None, None, 1, None, None, 2, None, None, None]
    assert [epoch_before(schedule, round) for round in (1, 2)] == [2, 5]


@pytest.mark.parametrize(("count", "passed", "stepped"), [(59_872, 1, 234), (1_000, 6, 24), (51, 101, 21)])
def test_few_images_are_gone_through_several_times_in_an_epoch(count: int, passed: int, stepped: int) -> None:
    schedule = TrainingConfig(batch=256, least=20)
    assert (passes(schedule, count), steps(schedule, count)) == (passed, stepped)


def test_an_unknown_recipe_is_refused_with_those_known() -> None:
    with pytest.raises(Trouble, match="no recipe 'soup'; choose one of: neighbours, paper"):
        recipe("soup")

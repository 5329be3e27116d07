"""Tests of the images that an epoch trains on, and of their order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from vaetui.engine import rng
from vaetui.engine.config import Config, TrainingConfig, count_steps_per_epoch
from vaetui.engine.epoch_batches import draw_batches

CONFIG = Config(seed=3, training=TrainingConfig(batch_size=64, max_epoch_images=1_000))
COUNT = 50_000


def draw_indices(config: Config, image_count: int, epoch: int) -> list[int]:
    indices: list[int] = torch.cat(draw_batches(config, image_count, epoch)).tolist()
    return indices


def test_epoch_draws_images_of_the_whole_large_set_once_each() -> None:
    batches = draw_batches(CONFIG, COUNT, 1)
    assert [len(batch) for batch in batches] == [64] * 15 + [40]
    assert len(batches) == count_steps_per_epoch(CONFIG.training, COUNT)
    indices = torch.cat(batches).numpy()
    assert len(set(indices.tolist())) == 1_000
    assert indices.min() < COUNT // 50 < COUNT - COUNT // 50 < indices.max()
    assert np.count_nonzero(np.diff(indices) > 0) < 600, "the images are in the order of the file"


def test_each_epoch_draws_other_images_and_the_same_ones_again_when_it_is_resumed() -> None:
    first, second = set(draw_indices(CONFIG, COUNT, 1)), set(draw_indices(CONFIG, COUNT, 2))
    assert len(first & second) < 60, "about 20 are expected"
    assert draw_indices(CONFIG, COUNT, 2) == draw_indices(CONFIG, COUNT, 2)
    assert draw_indices(replace(CONFIG, seed=4), COUNT, 1) != draw_indices(CONFIG, COUNT, 1)


def test_every_pass_over_a_part_draws_other_images() -> None:
    config = replace(CONFIG, training=replace(CONFIG.training, min_batches=30))
    indices = draw_indices(config, COUNT, 1)
    assert len(indices) == 2_000
    assert len(set(indices[:1_000]) & set(indices[1_000:])) < 60


def test_a_set_of_at_most_the_limit_is_passed_over_as_a_whole_in_the_order_of_its_generator() -> None:
    generator = rng.derive_generator(CONFIG.seed, "order", 2)
    assert draw_indices(CONFIG, 1_000, 2) == generator.permutation(1_000).tolist()
    config = replace(CONFIG, training=replace(CONFIG.training, min_batches=20))
    assert sorted(draw_indices(config, 1_000, 2)) == sorted([*range(1_000)] * 2)

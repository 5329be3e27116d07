"""The order in which an epoch trains on the images, and the images that it draws from a large set."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vaetui.engine import rng
from vaetui.engine.config import Config, count_epoch_images, count_passes_per_epoch


def draw_batches(config: Config, image_count: int, epoch: int) -> tuple[Tensor, ...]:
    """Return the indices of the images of each batch of an epoch (from 1), `batch_size` long but for the last one.

    Every pass is a new random order of all images. Of a set with more than `max_epoch_images` images, the epoch draws
    that many without repetition, independently of other epochs. All of it depends only on the seed and the epoch.
    """
    generator = rng.derive_generator(config.seed, "order", epoch)
    epoch_images, passes = count_epoch_images(config.training, image_count), []
    for _ in range(count_passes_per_epoch(config.training, image_count, epoch)):
        if epoch_images == image_count:
            passes.append(generator.permutation(image_count))
        else:
            passes.append(generator.choice(image_count, epoch_images, replace=False))
    return torch.split(torch.from_numpy(np.concatenate(passes)), config.training.batch_size)

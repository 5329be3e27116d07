"""Random second views of vectors: numbers replaced by their mean, and noise."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vaetui.engine import rng
from vaetui.engine.config import AugmentConfig
from vaetui.engine.devices import send_array
from vaetui.engine.rng import BatchPart


def augment_vectors(
    vectors: Tensor,
    mean: Tensor,
    scale: Tensor,
    config: AugmentConfig,
    seed: int,
    *position: int,
    part: BatchPart | None = None,
) -> Tensor:
    """Return a distorted view of each vector, [N, D], brought to length 1 first.

    `mean` and `scale`, [D], are those of the training vectors. The distortion depends only on `seed` and `position`
    (epoch, step), and is the same on every device. The vectors are a batch, or the `part` of a larger one.
    """
    batch_count, rows = part or BatchPart.whole(len(vectors))
    shape = (batch_count, vectors.shape[1])
    views = F.normalize(vectors, dim=1)
    dropout, noise = min(config.vector_dropout * config.strength, 1.0), config.vector_noise * config.strength
    if dropout:
        uniform = rng.derive_generator(seed, "vector dropout", *position).random(shape, np.float32)[rows]
        views = torch.where(send_array(uniform < dropout, vectors.device), mean, views)
    if noise:
        normal = rng.derive_generator(seed, "vector noise", *position).standard_normal(shape, np.float32)[rows]
        views = views + send_array(normal, vectors.device) * (noise * scale)
    return views

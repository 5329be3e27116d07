"""The named parts of the loss (paper, equations 1 and 3); it does not know who is trained or why."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def reconstruction(logits: Tensor, images: Tensor) -> Tensor:
    """Give the binary cross-entropy of images [N, 1, H, W], summed over pixels, mean over images (eq. 1), in nats."""
    return F.binary_cross_entropy_with_logits(logits, images, reduction="sum") / len(images)


def divergence(mean: Tensor, deviation: Tensor) -> Tensor:
    """Give KL(N(mean, deviation) || N(0, I)) of [N, z_dim], summed over dimensions, mean over images (eq. 1)."""
    return 0.5 * (deviation.square() + mean.square() - 1 - 2 * deviation.log()).sum() / len(mean)


def classification(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Give the weighted cross-entropy of eq. 3, divided by the number of images with a weight, in nats.

    `logits` [N, classes], `labels` [N], `weights` [N] from `weights.weigh`; 0 where no image has a weight.
    """
    each = F.cross_entropy(logits, labels, reduction="none")  # [N]
    return (weights * each).sum() / torch.count_nonzero(weights).clamp(min=1)

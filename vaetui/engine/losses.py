"""The named parts of the loss (paper, equations 1 and 3); it does not know who is trained or why."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def reconstruction(logits: Tensor, images: Tensor) -> Tensor:
    """Give the binary cross-entropy of images [N, 1, H, W], summed over pixels, mean over images (eq. 1), in nats."""
    return F.binary_cross_entropy_with_logits(logits, images, reduction="sum") / len(images)


def kl_divergence(mean: Tensor, std: Tensor) -> Tensor:
    """Give KL(N(mean, deviation) || N(0, I)) of [N, z_dim], summed over dimensions, mean over images (eq. 1)."""
    return 0.5 * (std.square() + mean.square() - 1 - 2 * std.log()).sum() / len(mean)


def classification(logits: Tensor, class_ids: Tensor, weights: Tensor) -> Tensor:
    """Give the weighted cross-entropy of eq. 3, divided by the number of images with a weight, in nats.

    `logits` [N, classes], `labels` [N], `weights` [N] from `weights.weigh`; 0 where no image has a weight.
    """
    each = F.cross_entropy(logits, class_ids, reduction="none")  # [N]
    return (weights * each).sum() / torch.count_nonzero(weights).clamp(min=1)


def nt_xent(views: Tensor, temperature: float) -> Tensor:
    """Give the cross-entropy of finding an image's other view among all views of a batch, in nats.

    `views` [2 N, z_dim], compared by the angle between them; the second half are the other views of the first (Chen
    et al. 2020, equation 1).
    """
    count, views = len(views), F.normalize(views, dim=1)
    alike = (views @ views.T / temperature).fill_diagonal_(-torch.inf)  # [2 N, 2 N]
    others = torch.arange(count, device=views.device).roll(count // 2)
    return F.cross_entropy(alike, others)


def consistency(logits: Tensor, threshold: float) -> Tensor:
    """Ask of each warped view the class that its plain view is sure of, mean over all N images, in nats.

    `logits` [2 N, classes], the second half of the warped views; a plain view with less than that probability for
    its likeliest class asks nothing (Sohn et al. 2020, equation 4).
    """
    plain, warped = logits.chunk(2)  # 2 x [N, classes]
    certainty, labels = plain.detach().softmax(dim=1).max(dim=1)
    return ((certainty >= threshold) * F.cross_entropy(warped, labels, reduction="none")).mean()

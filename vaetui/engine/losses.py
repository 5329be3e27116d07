"""The terms of the loss (paper, equations 1 and 3), and the two terms that compare two views of an image."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

MIN_JOINT_PROBABILITY = 1e-8
"""Smallest probability of a pair of clusters, because the clustering loss takes logarithms."""


def reconstruction(logits: Tensor, images: Tensor) -> Tensor:
    """Return the binary cross-entropy of images [N, 1, H, W], summed over pixels, mean over images (eq. 1), in nats."""
    return F.binary_cross_entropy_with_logits(logits.float(), images, reduction="sum") / len(images)


def gaussian_reconstruction(outputs: Tensor, vectors: Tensor) -> Tensor:
    """Return half the squared error of vectors [N, D], summed over numbers, mean over vectors, in nats.

    It is the negative logarithm of a Gaussian likelihood with variance 1, but for a constant (eq. 1).
    """
    return 0.5 * F.mse_loss(outputs.float(), vectors, reduction="sum") / len(vectors)


def kl_divergence(mean: Tensor, std: Tensor) -> Tensor:
    """Return KL(N(mean, std^2) || N(0, 1)) of [N, z_dim], summed over dimensions, mean over images (eq. 1), in nats."""
    return 0.5 * (std.square() + mean.square() - 1 - 2 * std.log()).sum() / len(mean)


def classification(logits: Tensor, class_ids: Tensor, weights: Tensor, label_count: Tensor) -> Tensor:
    """Return the weighted cross-entropy, divided by the number of images with a weight (eq. 3), in nats.

    `logits` [N, classes], `class_ids` [N], `weights` [N] of PseudoLabels. Returns 0 if no image has a weight.
    `label_count`, above 0, is that number; if processes divide a batch, it is their mean number.
    """
    cross_entropies = F.cross_entropy(logits, class_ids, reduction="none")  # [N]
    return (weights * cross_entropies).sum() / label_count


def nt_xent(views: Tensor, temperature: float, start: int = 0, count: int | None = None) -> Tensor:
    """Return the contrastive loss NT-Xent (Chen et al. 2020, SimCLR, equation 1), in nats.

    It is the cross-entropy of finding an image's other view among all views, by cosine similarity. `views`
    [2 N, z_dim]: the second half are the other views of the first. With `start` and `count`, it is the loss of these
    views alone, whose second half are the other views of its first; they are sought among all.
    """
    count = len(views) if count is None else count
    views = F.normalize(views, dim=1) * temperature**-0.5  # so that the products are divided by the temperature
    own_views = views[start : start + count]
    similarities = own_views @ views.T  # [count, 2 N]
    similarities.diagonal(start).fill_(-torch.inf)
    other_similarities = (own_views * own_views.roll(count // 2, 0)).sum(dim=1)  # [count]
    return (similarities.logsumexp(dim=1) - other_similarities).mean()


def clustering(joint: Tensor) -> Tensor:
    """Return minus the mutual information of the soft clusters of two views, mean over heads, in nats.

    `joint` [heads, K, K] are the probabilities that an image is in a cluster by one view, and in a cluster by the other
    (Ji et al. 2019, "Invariant information clustering", equation 3). The loss is smallest if views agree on a single
    cluster and all clusters are equally large.
    """
    joint = ((joint + joint.transpose(1, 2)) / 2).clamp(min=MIN_JOINT_PROBABILITY)
    joint = joint / joint.sum(dim=(1, 2), keepdim=True)
    marginals = joint.sum(dim=2)  # [heads, K], the same for both views
    information = joint * (joint.log() - marginals.log()[:, :, None] - marginals.log()[:, None, :])
    return -information.sum(dim=(1, 2)).mean()


def consistency(logits: Tensor, threshold: float) -> Tensor:
    """Return the consistency loss (Sohn et al. 2020, FixMatch, equation 4), mean over all N images, in nats.

    It is the cross-entropy of the augmented view against the plain view's most probable class, for plain views whose
    probability reaches `threshold`. `logits` [2 N, classes]: the second half belongs to the augmented views.
    """
    plain, augmented = logits.chunk(2)  # 2 x [N, classes]
    confidences, class_ids = plain.detach().softmax(dim=1).max(dim=1)
    return ((confidences >= threshold) * F.cross_entropy(augmented, class_ids, reduction="none")).mean()

"""How well it goes: the only measure that looks at true labels; it does not know how anything was learned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Pixels
from vaetui.engine.truth import Truth
from vaetui.engine.weights import Weights


def accuracy(predicted: NDArray[np.uint8], truth: Truth) -> float:
    """Give the share of images [N] whose predicted class is the true one, from 0 to 1."""
    return float(np.mean(predicted == truth.classes))


def reading_accuracy(read: Sequence[int | None], truth: Truth) -> float:
    """Give the share of pictures [N] in which the true class was read; None, unreadable, is wrong (paper, figure 5)."""
    return float(np.mean([seen == kind for seen, kind in zip(read, truth.classes.tolist(), strict=True)]))


def accuracy_by_weight(weights: Weights, truth: Truth, above: float) -> tuple[float, float | None]:
    """Give the share of images [N] with a label of a weight above that, and how many of their labels are right."""
    chosen = weights.weights > above
    right = weights.labels[chosen] == truth.classes[chosen]
    return float(chosen.mean()), float(right.mean()) if len(right) else None


def pixel_accuracy(originals: Pixels, reconstructions: Pixels) -> float:
    """Give the share of pixels of [N, H, W] that are on the same side of one half in both, from 0 to 1."""
    return float(np.mean((originals > 127) == (reconstructions > 127)))

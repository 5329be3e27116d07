"""How well it goes: the only place that measures by true labels; it does not know how anything was learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Pixels
from vaetui.engine.ground_truth import Truth
from vaetui.engine.pseudo_labels import Weights


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a classifier had called images before somebody named them: its calibration, as far as that goes."""

    images: int
    """How many were named."""
    agreed: float
    """The share of them that it had called the same."""
    expected: float | None
    """The share of them that it expected to have called right: the mean of its certainty; None where that is lost."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Labels of about the same confidence."""

    share: float
    """How many of all labels these are, from 0 to 1."""
    confidence: float
    """Their mean confidence."""
    accuracy: float
    """The share of them that is right."""


def accuracy(predicted: NDArray[np.uint8], truth: Truth) -> float:
    """Give the share of images [N] whose predicted class is the true one, from 0 to 1."""
    return float(np.mean(predicted == truth.classes))


def reading_accuracy(read: Sequence[int | None], truth: Truth) -> float:
    """Give the share of pictures [N] in which the true class was read; None, unreadable, is wrong (paper, figure 5)."""
    return float(np.mean([seen == kind for seen, kind in zip(read, truth.classes.tolist(), strict=True)]))


def agreement(
    named: NDArray[np.int64], called: NDArray[np.int64], certainty: NDArray[np.float32] | None
) -> Agreement | None:
    """Compare what somebody named images [M] with what a classifier had called them; None where there are none."""
    if not len(named):
        return None
    expected = None if certainty is None else float(certainty.mean())
    return Agreement(len(named), float(np.mean(named == called)), expected)


def accuracy_by_weight(weights: Weights, truth: Truth, above: float) -> tuple[float, float | None]:
    """Give the share of images [N] with a label of a weight above that, and how many of their labels are right."""
    chosen = weights.weights > above
    right = weights.labels[chosen] == truth.classes[chosen]
    return float(chosen.mean()), float(right.mean()) if len(right) else None


def calibration(confidences: NDArray[np.float32], right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Compare what was promised of labels [N] with what holds, in ten bins of confidence (a reliability diagram)."""
    bins = np.minimum((confidences * 10).astype(np.int64), 9)
    return tuple(
        Bin(float(chosen.mean()), float(confidences[chosen].mean()), float(right[chosen].mean()))
        for chosen in (bins == at for at in range(10))
        if chosen.any()
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """Give the mean gap between confidence and accuracy, from 0 to 1 (expected calibration error; Naeini 2015)."""
    return sum(it.share * abs(it.confidence - it.accuracy) for it in bins)


def pixel_accuracy(originals: Pixels, reconstructions: Pixels) -> float:
    """Give the share of pixels of [N, H, W] that are on the same side of one half in both, from 0 to 1."""
    return float(np.mean((originals > 127) == (reconstructions > 127)))

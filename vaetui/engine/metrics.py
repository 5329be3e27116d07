"""How well it goes: the only place that measures by true labels; it does not know how anything was learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Pixels
from vaetui.engine.ground_truth import TrueLabels
from vaetui.engine.pseudo_labels import PseudoLabels


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a classifier had called images before somebody named them: its calibration, as far as that goes."""

    image_count: int
    """How many were named."""
    agreement_rate: float
    """The share of them that it had called the same."""
    mean_confidence: float | None
    """The share of them that it expected to have called right: the mean of its certainty; None where that is lost."""


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Labels of about the same confidence."""

    fraction: float
    """How many of all labels these are, from 0 to 1."""
    confidence: float
    """Their mean confidence."""
    accuracy: float
    """The share of them that is right."""


def accuracy(predicted: NDArray[np.uint8], true_labels: TrueLabels) -> float:
    """Give the share of images [N] whose predicted class is the true one, from 0 to 1."""
    return float(np.mean(predicted == true_labels.class_ids))


def reading_accuracy(readings: Sequence[int | None], true_labels: TrueLabels) -> float:
    """Give the share of pictures [N] in which the true class was read; None, unreadable, is wrong (paper, figure 5)."""
    return float(np.mean([seen == kind for seen, kind in zip(readings, true_labels.class_ids.tolist(), strict=True)]))


def measure_agreement(
    answered: NDArray[np.int64], predicted: NDArray[np.int64], confidences: NDArray[np.float32] | None
) -> Agreement | None:
    """Compare what somebody named images [M] with what a classifier had called them; None where there are none."""
    if not len(answered):
        return None
    expected = None if confidences is None else float(confidences.mean())
    return Agreement(len(answered), float(np.mean(answered == predicted)), expected)


def accuracy_above_weight(
    pseudo_labels: PseudoLabels, true_labels: TrueLabels, min_weight: float
) -> tuple[float, float | None]:
    """Give the share of images [N] with a label of a weight above that, and how many of their labels are right."""
    chosen = pseudo_labels.weights > min_weight
    right = pseudo_labels.class_ids[chosen] == true_labels.class_ids[chosen]
    return float(chosen.mean()), float(right.mean()) if len(right) else None


def calibration_curve(confidences: NDArray[np.float32], correct: NDArray[np.bool_]) -> tuple[CalibrationBin, ...]:
    """Compare what was promised of labels [N] with what holds, in ten bins of confidence (a reliability diagram)."""
    bins = np.minimum((confidences * 10).astype(np.int64), 9)
    return tuple(
        CalibrationBin(float(chosen.mean()), float(confidences[chosen].mean()), float(correct[chosen].mean()))
        for chosen in (bins == at for at in range(10))
        if chosen.any()
    )


def expected_calibration_error(bins: Sequence[CalibrationBin]) -> float:
    """Give the mean gap between confidence and accuracy, from 0 to 1 (expected calibration error; Naeini 2015)."""
    return sum(it.fraction * abs(it.confidence - it.accuracy) for it in bins)


def pixel_accuracy(originals: Pixels, reconstructions: Pixels) -> float:
    """Give the share of pixels of [N, H, W] that are on the same side of one half in both, from 0 to 1."""
    return float(np.mean((originals > 127) == (reconstructions > 127)))

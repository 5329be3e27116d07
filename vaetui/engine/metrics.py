"""Accuracy, agreement and calibration; the only engine module besides `true_labels` that uses true labels.

Accuracies are measured on the images that have a true label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.classes import NO_LABEL
from vaetui.engine.clusters import Pixels
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.true_labels import TrueLabels


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well earlier predictions agree with answers that came later."""

    image_count: int
    """Images with an answer and an earlier prediction."""
    agreement_rate: float
    """Share of them whose predicted class equals the answer."""
    mean_confidence: float | None
    """Mean confidence of the predictions, which equals the rate if calibrated; None if it is not stored."""


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Labels of similar confidence."""

    fraction: float
    """Share of all labels in this bin, from 0 to 1."""
    confidence: float
    """Their mean confidence."""
    accuracy: float
    """Share of them that is correct."""


def accuracy(predicted: NDArray[np.uint8], true_labels: TrueLabels) -> float:
    """Return the share of labelled images among [N] whose predicted class is the true one; at least one has a label."""
    is_labelled = true_labels.is_labelled
    return float(np.mean(predicted[is_labelled] == true_labels.class_ids[is_labelled]))


def reading_accuracy(readings: Sequence[int | None], true_labels: TrueLabels) -> float:
    """Return the share of labelled images among [N] read as their true class; at least one has a label.

    None, unreadable, is wrong (paper, figure 5).
    """
    pairs = zip(readings, true_labels.class_ids.tolist(), strict=True)
    return float(np.mean([reading == true_id for reading, true_id in pairs if true_id != NO_LABEL]))


def measure_agreement(
    answered: NDArray[np.int64], predicted: NDArray[np.int64], confidences: NDArray[np.float32] | None
) -> Agreement | None:
    """Compare answered with predicted classes of images [M]; return None if M is 0."""
    if not len(answered):
        return None
    mean_confidence = None if confidences is None else float(confidences.mean())
    return Agreement(len(answered), float(np.mean(answered == predicted)), mean_confidence)


def compute_coverage_and_accuracy(
    pseudo_labels: PseudoLabels, true_labels: TrueLabels, min_weight: float
) -> tuple[float, float | None]:
    """Return the share of images [N] with a pseudo-label of a weight above `min_weight`, and their accuracy.

    The accuracy is None if none of them has a true label.
    """
    is_selected = pseudo_labels.weights > min_weight
    is_rated = is_selected & true_labels.is_labelled
    correct = pseudo_labels.class_ids[is_rated] == true_labels.class_ids[is_rated]
    return float(is_selected.mean()), float(correct.mean()) if len(correct) else None


def calibration_curve(confidences: NDArray[np.float32], correct: NDArray[np.bool_]) -> tuple[CalibrationBin, ...]:
    """Return mean confidence and accuracy of labels [N] in ten bins of confidence, without empty bins."""
    bin_indices = np.minimum((confidences * 10).astype(np.int64), 9)
    return tuple(
        CalibrationBin(float(selected.mean()), float(confidences[selected].mean()), float(correct[selected].mean()))
        for selected in (bin_indices == index for index in range(10))
        if selected.any()
    )


def expected_calibration_error(bins: Sequence[CalibrationBin]) -> float:
    """Return the mean gap between confidence and accuracy, from 0 to 1 (Naeini et al. 2015)."""
    return sum(item.fraction * abs(item.confidence - item.accuracy) for item in bins)


def pixel_accuracy(originals: Pixels, reconstructions: Pixels) -> float:
    """Return the share of pixels of [N, H, W] that are on the same side of one half in both."""
    return float(np.mean((originals > 127) == (reconstructions > 127)))

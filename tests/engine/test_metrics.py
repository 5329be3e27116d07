"""Tests of accuracy, agreement and calibration."""

from __future__ import annotations

import numpy as np
import pytest

from vaetui.engine.classes import NO_LABEL
from vaetui.engine.metrics import (
    Agreement,
    accuracy,
    calibration_curve,
    compute_coverage_and_accuracy,
    expected_calibration_error,
    measure_agreement,
    pixel_accuracy,
    reading_accuracy,
)
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.true_labels import TrueLabels

TRUE_LABELS = TrueLabels(np.array([1, 2, 0, 4], np.uint8))


def test_accuracy_is_the_fraction_of_correct_classes() -> None:
    assert accuracy(np.array([1, 2, 3, 4], np.uint8), TRUE_LABELS) == 0.75


def test_unreadable_image_counts_as_read_wrong() -> None:
    assert reading_accuracy([1, None, 3, 4], TRUE_LABELS) == 0.5


def test_images_without_a_true_label_do_not_count_for_accuracies() -> None:
    true_labels = TrueLabels(np.array([1, NO_LABEL, 0, NO_LABEL], np.uint8))
    assert accuracy(np.array([1, 2, 3, 4], np.uint8), true_labels) == 0.5
    assert reading_accuracy([None, 2, 0, None], true_labels) == 0.5
    pseudo_labels = PseudoLabels(np.array([1, 1, 1, 0]), np.array([0.9, 0.8, 0.5, 0.0], np.float32))
    assert compute_coverage_and_accuracy(pseudo_labels, true_labels, 0.4) == (0.75, 0.5)
    assert compute_coverage_and_accuracy(pseudo_labels, true_labels, 0.6) == (0.5, 1.0)
    unlabelled = TrueLabels(np.full(4, NO_LABEL, np.uint8))
    assert compute_coverage_and_accuracy(pseudo_labels, unlabelled, 0.4) == (0.75, None)


def test_accuracy_above_weight_uses_only_labels_above_it() -> None:
    pseudo_labels = PseudoLabels(np.array([1, 0, 0, 4]), np.array([0.9, 0.8, 0.5, 0.0], np.float32))
    assert compute_coverage_and_accuracy(pseudo_labels, TRUE_LABELS, 0.5) == (0.5, 0.5)
    assert compute_coverage_and_accuracy(pseudo_labels, TRUE_LABELS, 0.95) == (0.0, None)


def test_pixel_accuracy_is_the_fraction_of_pixels_on_the_same_side_of_one_half() -> None:
    originals = np.array([[[0, 127], [128, 255]]], np.uint8)
    assert pixel_accuracy(originals, np.array([[[127, 128], [255, 128]]], np.uint8)) == 0.75


def test_agreement_is_the_fraction_of_predictions_that_equal_the_answer() -> None:
    answered, predicted = np.array([1, 2, 3, 4]), np.array([1, 2, 0, 0])
    confidences = np.array([0.5, 0.75, 1.0, 0.75], np.float32)
    assert measure_agreement(answered, predicted, confidences) == Agreement(4, 0.5, 0.75)
    assert measure_agreement(answered, predicted, None) == Agreement(4, 0.5, None)
    assert measure_agreement(answered[:0], predicted[:0], confidences[:0]) is None


def test_calibration_curve_compares_confidence_with_accuracy_per_bin() -> None:
    confidences = np.array([0.95, 1.0, 0.55, 0.52, 0.0], np.float32)
    lowest, middle, highest = calibration_curve(confidences, np.array([True, False, True, True, False]))
    assert (lowest.fraction, lowest.confidence, lowest.accuracy) == (0.2, 0.0, 0.0)
    assert (middle.fraction, middle.accuracy) == (0.4, 1.0)
    assert middle.confidence == pytest.approx(0.535)
    assert (highest.fraction, highest.accuracy) == (0.4, 0.5)
    assert expected_calibration_error([lowest, middle, highest]) == pytest.approx(0.4 * 0.465 + 0.4 * 0.475)

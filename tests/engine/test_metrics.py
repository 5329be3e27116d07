"""Accuracies count what they say."""

from __future__ import annotations

import numpy as np
import pytest

from vaetui.engine.ground_truth import TrueLabels
from vaetui.engine.metrics import (
    Agreement,
    accuracy,
    calibration_curve,
    expected_calibration_error,
    measure_agreement,
    pixel_accuracy,
)


def test_accuracy_is_the_share_of_right_classes() -> None:
    assert accuracy(np.array([1, 2, 3, 4], np.uint8), TrueLabels(np.array([1, 2, 0, 4], np.uint8))) == 0.75


def test_pixel_accuracy_is_the_share_of_pixels_on_the_right_side_of_one_half() -> None:
    originals = np.array([[[0, 127], [128, 255]]], np.uint8)
    assert pixel_accuracy(originals, np.array([[[127, 128], [255, 128]]], np.uint8)) == 0.75


def test_agreement_is_the_share_that_was_called_what_somebody_then_named_it() -> None:
    named, called = np.array([1, 2, 3, 4]), np.array([1, 2, 0, 0], np.uint8)
    certainty = np.array([0.5, 0.75, 1.0, 0.75], np.float32)
    assert measure_agreement(named, called, certainty) == Agreement(4, 0.5, 0.75)
    assert measure_agreement(named, called, None) == Agreement(4, 0.5, None)
    assert measure_agreement(named[:0], called[:0], certainty[:0]) is None


def test_calibration_holds_promises_against_what_is_right() -> None:
    confidences = np.array([0.95, 1.0, 0.55, 0.52, 0.0], np.float32)
    least, middle, most = calibration_curve(confidences, np.array([True, False, True, True, False]))
    assert (least.fraction, least.confidence, least.accuracy) == (0.2, 0.0, 0.0)
    assert (middle.fraction, middle.accuracy) == (0.4, 1.0)
    assert middle.confidence == pytest.approx(0.535)
    assert (most.fraction, most.accuracy) == (0.4, 0.5)
    assert expected_calibration_error([least, middle, most]) == pytest.approx(0.4 * 0.465 + 0.4 * 0.475)

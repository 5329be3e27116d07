"""Accuracies count what they say."""

from __future__ import annotations

import numpy as np

from vaetui.engine.metrics import accuracy, pixel_accuracy
from vaetui.engine.truth import Truth


def test_accuracy_is_the_share_of_right_classes() -> None:
    assert accuracy(np.array([1, 2, 3, 4], np.uint8), Truth(np.array([1, 2, 0, 4], np.uint8))) == 0.75


def test_pixel_accuracy_is_the_share_of_pixels_on_the_right_side_of_one_half() -> None:
    originals = np.array([[[0, 127], [128, 255]]], np.uint8)
    assert pixel_accuracy(originals, np.array([[[127, 128], [255, 128]]], np.uint8)) == 0.75

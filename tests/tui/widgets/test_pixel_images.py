"""Test how images are scaled to pixels of the terminal."""

from __future__ import annotations

import numpy as np

from vaetui.tui.widgets.pixel_images import scale_to_pixels


def test_enlarged_photographs_are_interpolated_and_grey_images_stay_squares() -> None:
    grey = np.zeros((8, 8), np.uint8)
    grey[:, 4:] = 200
    enlarged = scale_to_pixels(grey, 64, 64)
    assert np.unique(enlarged).tolist() == [0, 200]
    photograph = scale_to_pixels(np.stack([grey] * 3, axis=-1), 64, 64)
    assert photograph.shape == (64, 64, 3)
    assert len(np.unique(photograph[:, 28:36])) > 2
    assert photograph[0, 0].tolist() == [0, 0, 0]
    assert photograph[32, 60].tolist() == [200, 200, 200]


def test_photograph_keeps_its_proportions_on_black() -> None:
    pixels = scale_to_pixels(np.full((10, 20, 3), 90, np.uint8), 40, 40)
    assert (pixels[:10] == 0).all()
    assert (pixels[10:30] == 90).all()
    assert (pixels[30:] == 0).all()

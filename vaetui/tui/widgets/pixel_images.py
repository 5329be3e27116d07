"""Images scaled to pixels of the terminal, for terminals that draw images."""

from __future__ import annotations

import numpy as np

from vaetui.engine.clusters import Pixels

MIN_PIXEL_SCALE = 4
"""From this enlargement on, pixels of grey images stay squares of nearly equal size; below, they are interpolated."""


def scale_to_pixels(pixels: Pixels, width: int, height: int) -> Pixels:
    """Scale an image, [H, W] or [H, W, 3], to [height, width], with its proportions kept, centred on black.

    Enlarged colour images are always interpolated: a person recognises a photograph in squares much later.
    """
    from PIL import Image

    image_height, image_width, *channels = pixels.shape
    scale = min(height / image_height, width / image_width)
    size = max(int(image_width * scale), 1), max(int(image_height * scale), 1)
    if channels and scale > 1:
        method = Image.Resampling.BICUBIC
    elif scale >= MIN_PIXEL_SCALE or scale == int(scale):
        method = Image.Resampling.NEAREST
    else:
        method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    scaled = np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, method))
    image = np.zeros((height, width, *channels), np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    image[top : top + size[1], left : left + size[0]] = scaled
    return image

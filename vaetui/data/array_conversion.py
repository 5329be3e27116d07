"""Convert arrays of images to pixels of one size, in chunks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from vaetui.data.array_files import ArrayFile, translate_read_errors
from vaetui.data.image_files import is_coloured, resize_image
from vaetui.data.value_range import find_value_range, to_channels_last, to_grey
from vaetui.engine.clusters import Pixels
from vaetui.engine.idx import COLOUR_CHANNELS


def get_image_size(array_file: ArrayFile) -> tuple[int, int]:
    """Return height and width of the images in an array; raises UserError if its shape is not an image shape."""
    height, width, *_ = _compute_image_shape(array_file)
    return height, width


def is_coloured_array(array_file: ArrayFile) -> bool:
    """Return whether the first chunk of an array contains colour images; raises UserError if damaged or empty."""
    if len(_compute_image_shape(array_file)) == 2 or not array_file.shape[0]:
        return False
    with translate_read_errors(array_file.display_name):
        images = to_channels_last(next(array_file.iter_chunks()))
        return is_coloured(find_value_range([images]).to_pixels(images))


def iter_resized_pixels(array_file: ArrayFile, shape: tuple[int, ...]) -> Iterator[Pixels]:
    """Yield chunks of images resized to (H, W) or (H, W, 3); raises UserError for a damaged file, NaN or infinity."""
    size, in_colour = (shape[0], shape[1]), len(shape) == 3
    with translate_read_errors(array_file.display_name):
        value_range = find_value_range(array_file.iter_chunks())
        for chunk in array_file.iter_chunks():
            images = to_channels_last(chunk)
            pixels = value_range.to_pixels(images if in_colour else to_grey(images))
            if pixels.shape[1:3] != size:
                pixels = np.stack([resize_image(Image.fromarray(image), size) for image in pixels])
            is_grey = pixels.ndim == 3
            yield np.repeat(pixels[..., None], COLOUR_CHANNELS, axis=3) if in_colour and is_grey else pixels


def _compute_image_shape(array_file: ArrayFile) -> tuple[int, ...]:
    with translate_read_errors(array_file.display_name):
        return to_channels_last(np.empty((1, *array_file.shape[1:]), array_file.dtype)).shape[1:]

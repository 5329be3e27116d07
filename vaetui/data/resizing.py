"""Arrays of images become pixels of one size, piece by piece; it does not know what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from vaetui.data.array_files import ArrayFile, translate_read_errors
from vaetui.data.image_files import is_coloured, resize
from vaetui.data.value_range import find_value_range, to_channels_last, to_grey
from vaetui.engine.clusters import Pixels
from vaetui.engine.idx import COLOUR_CHANNELS


def get_image_size(array_file: ArrayFile) -> tuple[int, int]:
    """Give height and width of the images in an array.

    Raises Trouble for an array that holds none.
    """
    height, width, *_ = _compute_image_shape(array_file)
    return height, width


def is_coloured_array(array_file: ArrayFile) -> bool:
    """Tell whether the first images in an array show colours.

    Raises Trouble for an array that holds none, and for a damaged file.
    """
    if len(_compute_image_shape(array_file)) == 2 or not array_file.shape[0]:
        return False
    with translate_read_errors(array_file.display_name):
        first = to_channels_last(next(array_file.iter_chunks()))
        return is_coloured(find_value_range([first]).to_pixels(first))


def resize_array(array_file: ArrayFile, shape: tuple[int, ...]) -> Iterator[Pixels]:
    """Give the images brought to `shape` (height, width), in colour (height, width, 3), some at a time.

    Raises Trouble for a damaged file, and for numbers that are none.
    """
    size, colour = (shape[0], shape[1]), len(shape) == 3
    with translate_read_errors(array_file.display_name):
        scale = find_value_range(array_file.iter_chunks())
        for piece in array_file.iter_chunks():
            pixels = to_channels_last(piece)
            pixels = scale.to_pixels(pixels if colour else to_grey(pixels))
            if pixels.shape[1:3] != size:
                pixels = np.stack([resize(Image.fromarray(each), size) for each in pixels])
            yield np.repeat(pixels[..., None], COLOUR_CHANNELS, axis=3) if colour and pixels.ndim == 3 else pixels


def _compute_image_shape(array_file: ArrayFile) -> tuple[int, ...]:
    with translate_read_errors(array_file.display_name):
        return to_channels_last(np.empty((1, *array_file.shape[1:]), array_file.dtype)).shape[1:]

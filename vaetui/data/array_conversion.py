"""Convert arrays of images to pixels of one size, in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaetui.data.array_files import ArrayFile, translate_read_errors
from vaetui.data.image_files import is_coloured, resize_image
from vaetui.data.value_range import RangeEstimator, ValueRange, get_sample_kind
from vaetui.engine.clusters import Pixels
from vaetui.engine.idx import COLOUR_CHANNELS

LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in grey (ITU-R BT.601), as Pillow uses them."""


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
        return is_coloured(find_value_range(array_file).to_pixels(images))


def iter_resized_pixels(array_file: ArrayFile, shape: tuple[int, ...]) -> Iterator[Pixels]:
    """Yield chunks of images resized to (H, W) or (H, W, 3); raises UserError for a damaged file, NaN or infinity."""
    size, in_colour = (shape[0], shape[1]), len(shape) == 3
    with translate_read_errors(array_file.display_name):
        value_range = find_value_range(array_file)
        for chunk in array_file.iter_chunks():
            images = to_channels_last(chunk)
            pixels = value_range.to_pixels(images if in_colour else to_grey(images))
            if pixels.shape[1:3] != size:
                pixels = np.stack([resize_image(Image.fromarray(image), size) for image in pixels])
            is_grey = pixels.ndim == 3
            yield np.repeat(pixels[..., None], COLOUR_CHANNELS, axis=3) if in_colour and is_grey else pixels


def find_value_range(array_file: ArrayFile) -> ValueRange:
    """Return the values of black and white; raises ValueError for NaN or infinity."""
    estimator = RangeEstimator(get_sample_kind(array_file.dtype))
    for chunk in array_file.iter_chunks():
        if not np.isfinite(chunk).all():
            raise ValueError("it contains NaN or infinite values")
        estimator.add(chunk)
    return estimator.estimate()


def _compute_image_shape(array_file: ArrayFile) -> tuple[int, ...]:
    with translate_read_errors(array_file.display_name):
        return to_channels_last(np.empty((1, *array_file.shape[1:]), array_file.dtype)).shape[1:]


def to_channels_last(values: NDArray[Any]) -> NDArray[Any]:
    """Return images as [N, H, W] or [N, H, W, 3]; the input may have channels before H or after W.

    Drops a fourth channel. Raises ValueError for any other shape.
    """
    if values.ndim == 4 and values.shape[1] in (1, 3) and values.shape[3] not in (1, 3, 4):
        values = np.moveaxis(values, 1, 3)
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim == 4 and values.shape[3] in (3, 4):
        return values[..., :3]
    if values.ndim != 3:
        raise ValueError(f"image shape {values.shape[1:]}; expected (height, width), optionally with channels")
    return values


def to_grey(values: NDArray[Any]) -> NDArray[Any]:
    """Return images [N, H, W] or [N, H, W, 3] as grey images [N, H, W] of the same type."""
    if values.ndim == 3:
        return values
    grey: NDArray[Any] = values @ LUMA_WEIGHTS
    return grey if values.dtype.kind == "f" else grey.round().astype(values.dtype)

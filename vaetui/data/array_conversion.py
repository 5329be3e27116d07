"""Convert arrays of images to pixels of one size, in chunks."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaetui.data.array_files import ArrayFile
from vaetui.data.image_files import ImageTransform, is_coloured, resize_image
from vaetui.data.image_samples import MIN_LIGHT_GREY
from vaetui.data.value_range import BIT_DEPTHS, FLOAT_TOLERANCE, RangeEstimator, ValueRange
from vaetui.engine.clusters import Pixels
from vaetui.engine.idx import COLOUR_CHANNELS
from vaetui.errors import UserError

RGBA_CHANNELS = 4
"""Red, green, blue and alpha."""
COLOUR_SAMPLE_IMAGES, COLOUR_SAMPLE_SIDE_PX = 500, 64
"""About the number of images, and the side to which they are reduced, by which colours are measured."""
NOT_FINITE = "contains NaN or infinite values"
"""The reason for which an image is skipped."""


@dataclass(frozen=True, slots=True, eq=False)
class ConvertedChunk:
    """Consecutive images of an array as pixels."""

    pixels: Pixels
    """The pixels of the usable images, [n, H, W] or [n, H, W, 3]."""
    skipped: tuple[tuple[int, str], ...]
    """The index in the array, and the reason, of each image that is not usable."""
    count: int
    """Number of images, usable or not."""


def get_image_size(array_file: ArrayFile) -> tuple[int, int]:
    """Return height and width of the images in an array."""
    return array_file.shape[1], array_file.shape[2]


def survey_array(array_file: ArrayFile, estimator: RangeEstimator) -> Generator[int, None, bool]:
    """Add all visible values of an array to an estimator, and return whether the images show colours.

    Yields the number of images read so far. Raises UserError if the file is damaged, if no image is usable, or if all
    are transparent.
    """
    samples, read_count, usable_count, visible_count = [], 0, 0, 0
    has_alpha = _has_alpha(array_file)
    stride = -(-array_file.shape[0] // COLOUR_SAMPLE_IMAGES)
    step = -(-max(array_file.shape[1:3]) // COLOUR_SAMPLE_SIDE_PX)
    for images, skipped in _iter_usable_images(array_file):
        values = images[images[..., -1] > 0][:, :COLOUR_CHANNELS] if has_alpha else images  # [pixels, 3] or [N, ...]
        estimator.add(values)
        samples.append(images[-usable_count % stride :: stride, ::step, ::step].copy())
        read_count += len(images) + len(skipped)
        usable_count += len(images)
        visible_count += len(values)
        yield read_count
    if read_count and not usable_count:
        raise UserError(
            f"All images of {array_file.display_name} contain NaN or infinite values. Replace them, for example with "
            "numpy.nan_to_num."
        )
    if usable_count and not visible_count:
        raise UserError(
            f"All images of {array_file.display_name} are transparent: their fourth channel, alpha, is 0. Save "
            "array[..., :3] if it is no alpha channel."
        )
    if array_file.shape[-1] < COLOUR_CHANNELS or len(array_file.shape) == 3 or not usable_count:
        return False
    return is_coloured(
        _convert_to_pixels(
            np.concatenate(samples), estimator.estimate(), _find_opaque_alpha(array_file), in_colour=True
        )
    )


def iter_converted_chunks(
    array_file: ArrayFile, shape: tuple[int, ...], value_range: ValueRange
) -> Iterator[ConvertedChunk]:
    """Yield chunks of images scaled by a range and resized to (H, W) or (H, W, 3); raises UserError for a damaged file.

    Transparent pixels get the background that image files get.
    """
    size, in_colour = (shape[0], shape[1]), len(shape) == 3
    opaque_alpha = _find_opaque_alpha(array_file)
    for images, skipped in _iter_usable_images(array_file):
        count = len(images) + len(skipped)
        pixels = np.empty((0, *shape), np.uint8)
        if len(images):
            pixels = _convert_to_pixels(images, value_range, opaque_alpha, in_colour)
            if pixels.shape[1:3] != size:
                pixels = np.stack([resize_image(Image.fromarray(image), size) for image in pixels])
            if in_colour and pixels.ndim == 3:
                pixels = np.repeat(pixels[..., None], COLOUR_CHANNELS, axis=3)
        yield ConvertedChunk(pixels, skipped, count)


def iter_transformed_chunks(
    array_file: ArrayFile, transform: ImageTransform, value_range: ValueRange
) -> Iterator[ConvertedChunk]:
    """Yield chunks of images scaled by a range, by a transform; raises UserError for a damaged file."""
    source_shape = get_image_size(array_file) + ((COLOUR_CHANNELS,) if transform.mode == "RGB" else ())
    for chunk in iter_converted_chunks(array_file, source_shape, value_range):
        pixels = [transform.apply(Image.fromarray(image)) for image in chunk.pixels]
        yield replace(chunk, pixels=np.stack(pixels) if pixels else np.empty((0, *transform.shape), np.uint8))


def _iter_usable_images(array_file: ArrayFile) -> Iterator[tuple[NDArray[Any], tuple[tuple[int, str], ...]]]:
    """Yield chunks of images, [N, H, W] or [N, H, W, C], with the indices of those left out, and the reasons."""
    start = 0
    for chunk in array_file.iter_chunks():
        images, count = chunk, len(chunk)
        skipped: tuple[tuple[int, str], ...] = ()
        if images.dtype.kind == "f":
            if images.dtype.itemsize > np.dtype(np.float64).itemsize:
                with np.errstate(over="ignore"):
                    images = images.astype(np.float64)
            is_usable = np.isfinite(images).reshape(count, -1).all(axis=1)
            if not is_usable.all():
                skipped = tuple((start + int(index), NOT_FINITE) for index in np.flatnonzero(~is_usable))
                images = images[is_usable]
        yield images, skipped
        start += count


def _convert_to_pixels(
    images: NDArray[Any], value_range: ValueRange, opaque_alpha: float, in_colour: bool
) -> NDArray[np.uint8]:
    """Return images [N, H, W] or [N, H, W, C] as pixels [N, H, W], or [N, H, W, 3] if they are coloured as required."""
    if images.ndim == 3:
        return value_range.to_pixels(images)
    count, height, width, channels = images.shape
    pixels = value_range.to_pixels(images[..., :COLOUR_CHANNELS])
    if channels == 1:
        return pixels[..., 0]
    if channels == RGBA_CHANNELS:
        alpha = ValueRange(0, opaque_alpha).to_pixels(images[..., COLOUR_CHANNELS:])
        rgba = np.concatenate([pixels, alpha], axis=3)
        return _composite_alpha(rgba, in_colour)
    if in_colour:
        return pixels
    # All images as one tall image, because Pillow converts exactly as it does for image files.
    tall_image = Image.fromarray(np.ascontiguousarray(pixels).reshape(count * height, width, channels))
    return np.asarray(tall_image.convert("L")).reshape(count, height, width)


def _composite_alpha(rgba: NDArray[np.uint8], in_colour: bool) -> NDArray[np.uint8]:
    """Return RGBA images [N, H, W, 4] before black if their visible part is light, else before white."""
    count, height, width, _ = rgba.shape
    tall_image = Image.fromarray(rgba.reshape(count * height, width, RGBA_CHANNELS))
    grey, alpha = (np.asarray(channel, np.float64).reshape(count, -1) for channel in tall_image.convert("LA").split())
    is_light = (grey * alpha).sum(axis=1) >= MIN_LIGHT_GREY * alpha.sum(axis=1).clip(1e-12)
    background = np.empty_like(rgba)
    background[...] = np.where(is_light, 0, 255)[:, None, None, None]
    background[..., COLOUR_CHANNELS] = 255
    tall_background = Image.fromarray(background.reshape(count * height, width, RGBA_CHANNELS))
    composite = Image.alpha_composite(tall_background, tall_image).convert("RGB" if in_colour else "L")
    return np.asarray(composite).reshape(
        (count, height, width, COLOUR_CHANNELS) if in_colour else (count, height, width)
    )


def _has_alpha(array_file: ArrayFile) -> bool:
    return len(array_file.shape) == 4 and array_file.shape[3] == RGBA_CHANNELS


def _find_opaque_alpha(array_file: ArrayFile) -> float:
    """Return the alpha value of opaque pixels: 1 if none is larger, or that of the bit depth that holds them all."""
    dtype = array_file.dtype
    if dtype.kind == "b":
        return 1.0
    if not _has_alpha(array_file):
        return 255.0
    full_values = [2.0**bits - 1 for bits in BIT_DEPTHS]
    maxima = (images[..., COLOUR_CHANNELS].max(initial=0) for images, _ in _iter_usable_images(array_file))
    maximum = float(max(maxima, default=0))
    if maximum <= 1 + FLOAT_TOLERANCE:  # alpha of integers may be 0 or 1 as well, like that of bool
        return 1.0
    if dtype.itemsize == 1 and dtype.kind == "i":
        return 127.0
    return next((value for value in full_values if maximum <= value), maximum)

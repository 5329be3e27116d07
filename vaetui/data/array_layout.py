"""Find which axes of an array count images, rows, columns and channels, or raise UserError where that is not clear."""

from __future__ import annotations

import math
from collections.abc import Iterator

from vaetui.data.array_files import ArrayFile
from vaetui.data.image_files import MAX_PIXELS
from vaetui.errors import UserError

CHANNEL_COUNTS = (1, 3, 4)
"""Channels of grey, RGB and RGBA images."""
IMAGE_AXES, CHANNEL_IMAGE_AXES = "NHW", "NHWC"
"""The order of axes after `arrange_axes`: images, height, width, and channels."""
COMMON_ORDERS = ("NHW", "HWN", "NHWC", "NCHW", "HWCN", "CHWN", "HWNC", "CNHW")
"""Orders of axes that are tried; other ones need --axes."""


def is_image_array(array: ArrayFile) -> bool:
    """Return whether an array can contain several images in some order of its axes."""
    has_sides = sum(side > max(CHANNEL_COUNTS) for side in array.shape[1:]) >= 2
    return array.dtype.kind in "biuf" and len(array.shape) in (3, 4) and has_sides


def arrange_axes(
    array: ArrayFile, axes: str | None, label_count: int | None = None, expected_size: tuple[int, int] | None = None
) -> ArrayFile:
    """Return an array of images with its axes in the order N, H, W or N, H, W, C, where C is 1, 3 or 4.

    `axes` is the order of the axes in the file, such as "HWN"; None expects N first. Raises UserError if that is
    ambiguous: `label_count`, the number of labels, and `expected_size`, height and width, help to decide. Raises
    UserError for any other shape.
    """
    shape = array.shape
    if array.dtype.kind not in "biuf":
        raise UserError(f"{array.display_name} contains text instead of pixel values. Choose another array.")
    if axes is not None:
        axes = _validate_axes(axes)
        if len(axes) != len(shape):
            raise UserError(
                f"--axes {axes} has {len(axes)} letters, but {array.display_name} has the shape {shape}. Write one "
                "letter for each axis."
            )
    else:
        axes = _infer_axes(array, label_count, expected_size)
    order = [axes.index(letter) for letter in (CHANNEL_IMAGE_AXES if len(axes) == 4 else IMAGE_AXES)]
    arranged = array if order == sorted(order) else array.transpose(order)
    if len(shape) == 4 and arranged.shape[3] not in CHANNEL_COUNTS:
        raise _build_channel_error(array)
    height, width = arranged.shape[1:3]
    if not height or not width or height * width > MAX_PIXELS:
        raise UserError(
            f"{array.display_name} contains images of {height}x{width} pixels; 1 to {MAX_PIXELS:,} pixels are "
            "supported. Choose another array or order of axes."
        )
    return arranged


def describe_alpha(images: ArrayFile) -> str:
    """Return the end of a description of images in the order N, H, W, C, if they have an alpha channel."""
    return " with alpha channel" if len(images.shape) == 4 and images.shape[3] == max(CHANNEL_COUNTS) else ""


def _validate_axes(axes: str) -> str:
    letters = axes.strip().upper()
    if sorted(letters) not in (sorted(IMAGE_AXES), sorted(CHANNEL_IMAGE_AXES)):
        raise UserError(
            f"--axes {axes} is not an order of axes. Use N (images), H (height), W (width) and optionally C "
            "(channels), each once, such as HWN or NCHW."
        )
    return letters


def _infer_axes(array: ArrayFile, label_count: int | None, expected_size: tuple[int, int] | None) -> str:
    shape = array.shape
    if len(shape) not in (3, 4):
        raise _build_rank_error(array)
    if _is_like_single_image(shape):
        raise UserError(
            f"{array.display_name} has the shape {shape}, which looks like a single image. Save several images as "
            f"(N, height, width, channels), or pass --axes NHW for {_describe_reading(shape, 'NHW')}."
        )
    readings = [axes for axes in COMMON_ORDERS if len(axes) == len(shape) and _has_channels(shape, axes)]
    defaults = ("NHW", "NHWC", "NCHW") if shape[1] != 4 else ("NHW", "NHWC")
    default = next((axes for axes in readings if axes in defaults), None)
    if default is None and readings:
        choices = ", or ".join(f"--axes {axes} for {_describe_reading(shape, axes)}" for axes in readings)
        raise UserError(
            f"{array.display_name} has the shape {shape}, in which the order of the axes is not clear. Pass {choices}."
        )
    if default is None:
        raise _build_channel_error(array)
    count, height, width = (shape[default.index(letter)] for letter in IMAGE_AXES)
    if (height, width) == expected_size:
        return default
    if default == "NCHW":
        other = "CHWN" if label_count == shape[3] != count and "CHWN" in readings else None
    else:
        other = default.replace("NHW", "HWN") if _is_ambiguous(count, height, width, label_count) else None
    if other is not None:
        raise UserError(
            f"{array.display_name} has the shape {shape}, which can be read in two ways. Pass --axes {other} for "
            f"{_describe_reading(shape, other)}, or --axes {default} for {_describe_reading(shape, default)}."
        )
    return default


def _is_like_single_image(shape: tuple[int, ...]) -> bool:
    """Return whether a shape is that of one image with channels (H, W, C)."""
    return len(shape) == 3 and shape[2] <= max(CHANNEL_COUNTS) < min(shape[:2])


def _has_channels(shape: tuple[int, ...], axes: str) -> bool:
    return "C" not in axes or shape[axes.index("C")] in CHANNEL_COUNTS


def _is_ambiguous(first: int, second: int, third: int, label_count: int | None) -> bool:
    """Return whether axes that are usually N, H and W could as well be H, W and N.

    That is so if the first two are equal, unlike the third, or if there would be more images, and squarer ones.
    """
    if label_count in (first, third) and first != third:
        return label_count == third
    if 0 in (first, second, third):
        return False
    return first == second != third or (third > first and _aspect(first, second) <= _aspect(second, third))


def _aspect(height: int, width: int) -> float:
    return max(height, width) / min(height, width)


def _describe_reading(shape: tuple[int, ...], axes: str) -> str:
    count, height, width = (shape[axes.index(letter)] for letter in IMAGE_AXES)
    return f"{count:,} image{'s' * (count != 1)} of {height}x{width} pixels"


def _build_channel_error(array: ArrayFile) -> UserError:
    return UserError(
        f"{array.display_name} has the shape {array.shape}; images have the shape (N, height, width), or (N, height, "
        "width, channels) with 1, 3 or 4 channels. Select the channels, or pass the order of the axes, such as --axes "
        "NCHW."
    )


def _build_rank_error(array: ArrayFile) -> UserError:
    shape = array.shape
    advice = "Save images of one size as an array of shape (N, height, width), optionally with channels."
    if len(shape) == 2:
        sides = next(_iter_square_shapes(shape[1]), "-1, height, width")
        advice = f"If each row is an image, save array.reshape({sides}) instead."
    return UserError(f"{array.display_name} has the shape {shape}; images have 3 or 4 axes. {advice}")


def _iter_square_shapes(value_count: int) -> Iterator[str]:
    """Yield how rows of values are reshaped to square images: grey ones, or those with channels."""
    for channel_count in (1, 3):
        side = math.isqrt(value_count // channel_count)
        if side * side * channel_count == value_count and side > 1:
            yield f"-1, {side}, {side}" if channel_count == 1 else f"-1, {channel_count}, {side}, {side}"

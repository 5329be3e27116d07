"""Convert arrays of any number type and channel order to grey or RGB pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in grey (ITU-R BT.601), as Pillow uses them."""


@dataclass(frozen=True, slots=True)
class ValueRange:
    """The values of black and white in an array."""

    black: float
    """The value that becomes 0."""
    white: float
    """The value that becomes 255."""

    def to_pixels(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Scale values of any shape to pixels from 0 to 255."""
        if values.dtype == np.uint8 and (self.black, self.white) == (0, 255):
            return values
        scaled = (values.astype(np.float64) - self.black) * (255 / max(self.white - self.black, 1e-300))
        return scaled.clip(0, 255).round().astype(np.uint8)


def find_value_range(chunks: Iterable[NDArray[Any]]) -> ValueRange:
    """Return 0-1, 0-255 or 0-65,535 if the values fit, else minimum and maximum; raises ValueError for NaN or inf."""
    minimum, maximum, is_integer = 0.0, 0.0, True
    for chunk in chunks:
        if not chunk.size:
            continue
        chunk_minimum, chunk_maximum = float(chunk.min()), float(chunk.max())
        minimum, maximum = min(minimum, chunk_minimum), max(maximum, chunk_maximum)
        is_integer = is_integer and chunk.dtype.kind in "bui"
        if not np.isfinite([chunk_minimum, chunk_maximum]).all():
            raise ValueError("it contains NaN or infinite values")
    if minimum < 0:
        return ValueRange(minimum, maximum)
    if maximum <= 1:
        return ValueRange(0, 1)
    if maximum <= 255:
        return ValueRange(0, 255)
    return ValueRange(0, 65_535 if is_integer and maximum <= 65_535 else maximum)


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

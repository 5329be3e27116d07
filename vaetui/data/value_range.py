"""Arrays of any numbers become pixels, grey or in colour; it does not know where they were read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114])
"""What red, green and blue add to grey (ITU-R BT.601), as Pillow has it."""


@dataclass(frozen=True, slots=True)
class ValueRange:
    """From which number black goes to which white."""

    black: float
    """The number that becomes 0."""
    white: float
    """The number that becomes 255."""

    def to_pixels(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Give numbers as pixels from 0 to 255, in their shape."""
        if values.dtype == np.uint8 and (self.black, self.white) == (0, 255):
            return values
        scaled = (values.astype(np.float64) - self.black) * (255 / max(self.white - self.black, 1e-300))
        return scaled.clip(0, 255).round().astype(np.uint8)


def find_value_range(chunks: Iterable[NDArray[Any]]) -> ValueRange:
    """Look at all numbers: 0 to 1, 0 to 255 and 0 to 65,535 mean what they usually do, others go by their range.

    Raises ValueError for numbers that are none.
    """
    least, most, whole = 0.0, 0.0, True
    for piece in chunks:
        if not piece.size:
            continue
        least, most = min(least, float(piece.min())), max(most, float(piece.max()))
        whole = whole and piece.dtype.kind in "bui"
        if not np.isfinite([float(piece.min()), float(piece.max())]).all():
            raise ValueError("it holds numbers that are none")
    if least < 0:
        return ValueRange(least, most)
    if most <= 1:
        return ValueRange(0, 1)
    if most <= 255:
        return ValueRange(0, 255)
    return ValueRange(0, 65_535 if whole and most <= 65_535 else most)


def to_channels_last(values: NDArray[Any]) -> NDArray[Any]:
    """Give images [N, H, W], with or without channels at the end or after N, as [N, H, W] or [N, H, W, 3].

    Raises ValueError for another shape.
    """
    if values.ndim == 4 and values.shape[1] in (1, 3) and values.shape[3] not in (1, 3, 4):
        values = np.moveaxis(values, 1, 3)
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim == 4 and values.shape[3] in (3, 4):
        return values[..., :3]
    if values.ndim != 3:
        raise ValueError(f"images of shape {values.shape[1:]}; height and width, with or without channels, are needed")
    return values


def to_grey(values: NDArray[Any]) -> NDArray[Any]:
    """Give what `arranged` gives without its colours."""
    if values.ndim == 3:
        return values
    mixed: NDArray[Any] = values @ LUMA_WEIGHTS
    return mixed if values.dtype.kind == "f" else mixed.round().astype(values.dtype)

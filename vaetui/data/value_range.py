"""Find which values of a set of images are black and white, robustly, and convert values to pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

SampleKind: TypeAlias = Literal["8-bit", "16-bit", "32-bit", "float"]
"""How values are stored. Images of one kind share one range."""
SAMPLE_KINDS: tuple[SampleKind, ...] = ("8-bit", "16-bit", "32-bit", "float")
VALUES_PER_STEP = 1 << 18
"""Number of values that are scaled at a time: conversion needs some 30 times their memory."""
TABLE_LENGTH = 1 << 16
"""Number of different 16-bit values: more pixels than that are scaled faster by a table."""
VALUES_PER_CALL = 1 << 16
"""Most values kept of one call of `RangeEstimator.add`."""
MAX_KEPT_VALUES = 1 << 22
"""Most values kept in total: sorting them takes about 0.3 s."""
OUTLIER_SHARE = 0.002
"""Share of values at either end that may be outliers: more than one defective pixel in a 28x28 image."""
NODATA_VALUES = (
    -9_999.0,
    -99_999.0,
    -32_767.0,
    -32_768.0,
    -(2.0**31),
    float(np.finfo(np.float32).min),
    1e20,
    9.969209968386869e36,
)
"""Usual values of pixels without data, for example in geographic rasters; any share of the pixels may have them."""
LARGEST_VALUES = (2.0**15 - 1, 2.0**16 - 1)
"""The largest signed and unsigned numbers of 16 bits: pixels without data if all other values are much smaller."""
MAX_DATA_SHARE = 1 / 16
"""Share of such a number that the other values, for example of 12 bits, must be less than."""
SCALE_OF_8_BITS = 257
"""8-bit images that were scaled to 16 bits are multiples of this number, and their white is white."""
BIT_DEPTHS = (8, 10, 12, 14, 16)
"""Bit depths of cameras and files."""
MIN_FILLED_SHARE = 0.5
"""Share of the range of a bit depth, or of 0 to 1, that values must cover for that range to be used."""
FLOAT_TOLERANCE = 0.002
"""Rounding error above 1 and below 0, half a grey level, that floats from 0 to 1 may have."""


@dataclass(frozen=True, slots=True)
class ValueRange:
    """The values of black and white."""

    black: float
    """The value that becomes 0."""
    white: float
    """The value that becomes 255."""

    def to_pixels(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Scale values of any shape to pixels from 0 to 255; values outside the range become 0 or 255."""
        if values.dtype == np.uint8 and (self.black, self.white) == (0, 255):
            return values
        if values.dtype.kind == "u" and values.dtype.itemsize == 2 and values.size > TABLE_LENGTH:
            table = self._scale(np.arange(TABLE_LENGTH))
            return table[values.astype(np.uint16, copy=False)]  # in the byte order of this machine
        flat_values = values.reshape(-1)
        pixels = np.empty(flat_values.shape, np.uint8)
        for start in range(0, len(pixels), VALUES_PER_STEP):
            step = slice(start, start + VALUES_PER_STEP)
            pixels[step] = self._scale(flat_values[step])
        return pixels.reshape(values.shape)

    def _scale(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        # Halved, because the difference of two of the largest numbers is infinite.
        half_width = self.white / 2 - self.black / 2
        shares = (values.astype(np.float64).clip(self.black, self.white) / 2 - self.black / 2) / half_width
        return (shares * 255).round().astype(np.uint8)

    def __str__(self) -> str:
        """Return the range as shown to users, such as "0-4095" or "-1 to 1"."""
        return f"{self.black:.7g}{'-' if self.black >= 0 else ' to '}{self.white:.7g}"


ValueRanges: TypeAlias = "Mapping[SampleKind, ValueRange]"
"""The ranges of a set of images, by kind."""
FULL_8_BIT_RANGE = ValueRange(0, 255)
"""The range of usual pictures."""


def use_range_for_all_kinds(bounds: tuple[float, float], first_kinds: Iterable[SampleKind] = ()) -> ValueRanges:
    """Return the same range, from its values of black and white, for all kinds, starting with `first_kinds`."""
    return dict.fromkeys([*first_kinds, *SAMPLE_KINDS], ValueRange(*bounds))


def read_value_ranges(bounds_by_kind: Mapping[str, tuple[float, float]]) -> ValueRanges:
    """Return the ranges that an import report stores as values of black and white by kind, in their order."""
    return {kind: ValueRange(*bounds) for kind, bounds in bounds_by_kind.items() if kind in SAMPLE_KINDS}


class RangeEstimator:
    """Estimates the range of values of one kind from samples."""

    def __init__(self, kind: SampleKind) -> None:
        """Start without values."""
        self._kind = kind
        self._samples: list[NDArray[np.float64]] = []
        self._extremes: list[NDArray[np.float64]] = []
        self._kept_count, self._stride = 0, 1

    def add(self, values: NDArray[Any]) -> None:
        """Add values of any shape; keep an evenly spaced part of them, and the extremes. Ignores NaN and infinity."""
        flat = values.reshape(-1)
        if flat.dtype.kind == "f":
            flat = flat[np.isfinite(flat)]
        if not flat.size:
            return
        self._extremes.append(np.array([flat.min(), flat.max()], np.float64))
        # An odd stride, as even ones may always meet the same column of an image.
        stride = self._stride * (-(-flat.size // VALUES_PER_CALL) | 1)
        sample = flat[::stride].astype(np.float64)
        self._samples.append(sample)
        self._kept_count += len(sample)
        if self._kept_count > MAX_KEPT_VALUES:
            self._samples = [np.concatenate(self._samples)[::3]]
            self._kept_count, self._stride = len(self._samples[0]), 3 * self._stride

    def estimate(self) -> ValueRange:
        """Return the range of a bit depth or 0 to 1 if the values fill it, else their robust minimum and maximum."""
        if not self._samples:
            return FULL_8_BIT_RANGE
        sample = np.concatenate(self._samples)
        distinct = np.unique(np.concatenate([sample, *self._extremes]))
        low, high = _find_robust_bounds(np.sort(sample), distinct)
        is_whole = self._kind != "float" or bool((distinct == distinct.round()).all())
        for full_low, full_high in _list_full_ranges(low, is_whole):
            tolerance = 0.0 if is_whole else FLOAT_TOLERANCE
            if full_low - tolerance <= low and high <= full_high + tolerance:
                if low == high or high - low >= MIN_FILLED_SHARE * (full_high - full_low):
                    return ValueRange(full_low, full_high)
                break
        # A constant value that is large has no neighbour at a distance of 1.
        return ValueRange(low, max(high, float(np.nextafter(low, np.inf))))


def get_sample_kind(dtype: np.dtype[Any]) -> SampleKind:
    """Return the kind of an array's values."""
    if dtype.kind == "f":
        return "float"
    return "8-bit" if dtype.itemsize == 1 else "16-bit" if dtype.itemsize == 2 else "32-bit"


def _list_full_ranges(low: float, is_whole: bool) -> list[tuple[float, float]]:
    if is_whole:
        return [(0.0, 2.0**bits - 1) for bits in BIT_DEPTHS]
    return [(0.0, 1.0)] if low >= -FLOAT_TOLERANCE else [(-0.5, 0.5), (-1.0, 1.0)]


def _find_robust_bounds(sorted_sample: NDArray[np.float64], distinct: NDArray[np.float64]) -> tuple[float, float]:
    """Return minimum and maximum without outliers and pixels without data.

    `distinct` holds the different values in ascending order. From the central values outwards, a value is included
    unless the gap before it is larger than the whole range so far: one defective pixel is far from all other values,
    while rare bright pixels are connected to them by others.
    """
    for value in NODATA_VALUES:
        rest = distinct[distinct != value]
        if len(rest) < len(distinct) and len(rest) > 1 and np.abs(rest - value).min() > np.ptp(rest):
            distinct, sorted_sample = rest, sorted_sample[sorted_sample != value]
    for value in LARGEST_VALUES:
        rest = distinct[distinct != value]
        is_far = 1 < len(rest) < len(distinct) and np.abs(rest).max() < MAX_DATA_SHARE * value
        if is_far and (rest % SCALE_OF_8_BITS).any():
            distinct, sorted_sample = rest, sorted_sample[sorted_sample != value]
    margin = int(OUTLIER_SHARE * len(sorted_sample))
    first = int(np.searchsorted(distinct, sorted_sample[margin]))
    last = int(np.searchsorted(distinct, sorted_sample[-1 - margin]))
    if first == last:  # nearly all values are equal
        return float(distinct[0]), float(distinct[-1])
    halves = distinct / 2  # the difference of two of the largest numbers is infinite
    gaps = np.diff(halves)  # gaps[i] lies between the values i and i + 1
    upper_breaks = np.flatnonzero(gaps[last:] > halves[last:-1] - halves[first])
    high_index = last + upper_breaks[0] if len(upper_breaks) else -1
    lower_breaks = np.flatnonzero(gaps[:first][::-1] > halves[high_index] - halves[1 : first + 1][::-1])
    low_index = first - lower_breaks[0] if len(lower_breaks) else 0
    return float(distinct[low_index]), float(distinct[high_index])

"""Curves and axes of a plot, with their ticks and their decimation to the width of a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One curve; its marker differs from those of the other curves, so that it also reads without colours."""

    marker: str
    """The character of its points; "⠒" draws a thin line, "▚" a thick line."""
    style: str
    """The colour, as a Rich style."""
    x: NDArray[np.float64]
    """Ascending x values, [N]."""
    y: NDArray[np.float64]
    """The y values, [N]."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The range and the ticks of one axis."""

    low: float
    """Lower limit."""
    high: float
    """Upper limit."""
    ticks: tuple[float, ...] = ()
    """The labelled values."""


def decimate_min_max(
    x: NDArray[np.float64], y: NDArray[np.float64], width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the smallest and the largest y value of each column: at most 2 * `width` of N points.

    Curves with at most 2 * `width` points are returned unchanged.
    """
    if len(x) <= 2 * width:
        return x, y
    edges = np.linspace(0, len(x), width + 1).astype(int)
    indices: list[int] = []
    for start, end in pairwise(edges.tolist()):
        column = y[start:end]
        indices += sorted({start + int(column.argmin()), start + int(column.argmax())})
    return x[indices], y[indices]


def choose_ticks(low: float, high: float, max_ticks: int, min_step: float = 0.0) -> tuple[float, ...]:
    """Return at most `max_ticks` round numbers from `low` to `high`.

    The step is 1, 2 or 5 times a power of ten and at least `min_step`.
    """
    if high <= low or max_ticks < 1:
        return ()
    power = max(10.0 ** floor(log10((high - low) / max_ticks)), min_step)
    for step in (power, 2 * power, 5 * power, 10 * power, 20 * power):
        first, last = int(np.ceil(low / step)), int(np.floor(high / step))
        if last - first < max_ticks:
            break
    return tuple(round(multiple * step, 10) for multiple in range(first, last + 1))

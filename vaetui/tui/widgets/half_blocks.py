"""Pixels become cells of text: half-blocks, exact or scaled, or plain letters; it does not know a widget."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from vaetui.engine.clusters import Pixels

Drawn: TypeAlias = NDArray[np.uint8]
"""One picture, grey [H, W] or in colour [H, W, 3], of few levels from 0 to 255."""
Pixel: TypeAlias = "int | tuple[int, int, int]"
"""A grey, or red, green and blue."""

STEP = 17
"""Sixteen levels are drawn: a digit shows no more to the eye, and a decoded centre costs a fifth fewer bytes."""
LEVELS = np.array([0, 18, 38, 48, 68, 88, 98, 118, 138, 148, 168, 188, 208, 218, 238, 255], np.uint8)
"""Those sixteen, each one that the palette of 256 colours has too, where it is told in half the bytes."""
FAINT = 1
"""Levels up to this one are drawn as none: they cannot be seen, and cost another tenth."""
RAMP = " .:-=+*#%@"
"""Letters from dark to bright."""
GAP = 3
"""Unchanged cells between two changed ones that are cheaper painted again than skipped."""


def fit(picture: Pixels, width: int, height: int) -> Drawn:
    """Scale a picture [H, W] or [H, W, 3] into [height, width], centred on black and in few levels.

    Enlarged by whole numbers, so that a pixel stays a square; shrunk by the mean of the area, so that no thin
    stroke falls between two pixels.
    """
    tall, wide, *colours = picture.shape
    scale = min(height / tall, width / wide)
    if scale >= 1:
        times = int(scale)
        scaled = picture.astype(np.float64).repeat(times, axis=0).repeat(times, axis=1)
    else:
        rows = _shares(tall, max(round(tall * scale), 1))
        columns = _shares(wide, max(round(wide * scale), 1))
        scaled = np.einsum("hi,ij...,wj->hw...", rows, picture, columns, optimize=True)
    drawn = np.zeros((height, width, *colours), np.uint8)
    top, left = (height - scaled.shape[0]) // 2, (width - scaled.shape[1]) // 2
    levels = np.round(scaled / STEP).astype(np.uint8)
    seen = np.where(levels > FAINT, LEVELS[levels], np.uint8(0))
    drawn[top : top + scaled.shape[0], left : left + scaled.shape[1]] = seen
    return drawn


def half_blocks(drawn: Drawn) -> list[Strip]:
    """Draw two rows of pixels as one row of cells: the upper in the foreground, the lower behind."""
    rows = drawn.tolist() if drawn.ndim == 2 else [[*map(tuple, row)] for row in drawn.tolist()]
    return [_half_row(upper, lower) for upper, lower in zip(rows[::2], rows[1::2], strict=True)]


def letters(drawn: Drawn) -> list[Strip]:
    """Draw two rows of pixels as one row of letters, the brighter the denser."""
    return [Strip([Segment(row)], len(row)) for row in lettered(drawn)]


def lettered(drawn: Drawn) -> list[str]:
    """Write two rows of pixels as one line of letters, the brighter the denser."""
    greys = drawn if drawn.ndim == 2 else drawn.mean(axis=2)
    means = greys.reshape(len(greys) // 2, 2, -1).mean(axis=1)
    places = np.round(means * (len(RAMP) - 1) / 255).astype(int)
    return ["".join(RAMP[place] for place in row) for row in places.tolist()]


def changed(before: Drawn, after: Drawn) -> list[tuple[int, int, int]]:
    """List the cells that differ, as (row, first column, number of columns)."""
    differ = before != after if before.ndim == 2 else (before != after).any(axis=2)
    cells = differ.reshape(len(differ) // 2, 2, -1).any(axis=1)
    spans = []
    for row in np.flatnonzero(cells.any(axis=1)).tolist():
        columns = np.flatnonzero(cells[row])
        for run in np.split(columns, np.flatnonzero(np.diff(columns) > GAP) + 1):
            spans.append((row, int(run[0]), int(run[-1] - run[0] + 1)))
    return spans


def _half_row(upper: list[Pixel], lower: list[Pixel]) -> Strip:
    segments: list[Segment] = []
    start, pairs = 0, list(zip(upper, lower, strict=True))
    for column in range(1, len(pairs) + 1):
        if column == len(pairs) or pairs[column] != pairs[start]:
            above, below = pairs[start]
            cell = " " if above == below else "▀"
            segments.append(Segment(cell * (column - start), _style(above, below)))
            start = column
    return Strip(segments, len(pairs))


@lru_cache(maxsize=4096)
def _style(above: Pixel, below: Pixel) -> Style:
    return Style(color=None if above == below else _colour(above), bgcolor=_colour(below))


@lru_cache(maxsize=4096)
def _colour(pixel: Pixel) -> Color:
    red, green, blue = (pixel, pixel, pixel) if isinstance(pixel, int) else pixel
    return Color.from_triplet(ColorTriplet(red, green, blue))


@lru_cache(maxsize=64)
def _shares(many: int, few: int) -> NDArray[np.float64]:
    """Give the share of each of `many` old pixels in each of `few` new ones, [few, many]; rows sum to 1."""
    edges = np.linspace(0, many, few + 1)
    places = np.arange(many)
    overlap = np.minimum(edges[1:, None], places + 1) - np.maximum(edges[:-1, None], places)
    shares: NDArray[np.float64] = np.clip(overlap, 0, None) * few / many
    return shares

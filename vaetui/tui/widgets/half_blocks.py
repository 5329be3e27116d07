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

QuantisedImage: TypeAlias = NDArray[np.uint8]
"""One picture, grey [H, W] or in colour [H, W, 3], of few levels from 0 to 255."""
Pixel: TypeAlias = "int | tuple[int, int, int]"
"""A grey, or red, green and blue."""

LEVEL_STEP = 17
"""Sixteen levels are drawn: a digit shows no more to the eye, and a decoded centre costs a fifth fewer bytes."""
LEVELS = np.array([0, 18, 38, 48, 68, 88, 98, 118, 138, 148, 168, 188, 208, 218, 238, 255], np.uint8)
"""Those sixteen, each one that the palette of 256 colours has too, where it is told in half the bytes."""
MAX_BLACK_LEVEL = 1
"""Levels up to this one are drawn as none: they cannot be seen, and cost another tenth."""
ASCII_RAMP = " .:-=+*#%@"
"""Letters from dark to bright."""
MAX_GAP_CELLS = 3
"""Unchanged cells between two changed ones that are cheaper painted again than skipped."""


def fit_image(pixels: Pixels, width: int, height: int) -> QuantisedImage:
    """Scale a picture [H, W] or [H, W, 3] into [height, width], centred on black and in few levels.

    Enlarged by whole numbers, so that a pixel stays a square; shrunk by the mean of the area, so that no thin
    stroke falls between two pixels.
    """
    tall, wide, *colours = pixels.shape
    scale = min(height / tall, width / wide)
    if scale >= 1:
        times = int(scale)
        scaled = pixels.astype(np.float64).repeat(times, axis=0).repeat(times, axis=1)
    else:
        rows = _compute_area_weights(tall, max(round(tall * scale), 1))
        columns = _compute_area_weights(wide, max(round(wide * scale), 1))
        scaled = np.einsum("hi,ij...,wj->hw...", rows, pixels, columns, optimize=True)
    drawn = np.zeros((height, width, *colours), np.uint8)
    top, left = (height - scaled.shape[0]) // 2, (width - scaled.shape[1]) // 2
    levels = np.round(scaled / LEVEL_STEP).astype(np.uint8)
    seen = np.where(levels > MAX_BLACK_LEVEL, LEVELS[levels], np.uint8(0))
    drawn[top : top + scaled.shape[0], left : left + scaled.shape[1]] = seen
    return drawn


def render_half_blocks(image: QuantisedImage) -> list[Strip]:
    """Draw two rows of pixels as one row of cells: the upper in the foreground, the lower behind."""
    rows = image.tolist() if image.ndim == 2 else [[*map(tuple, row)] for row in image.tolist()]
    return [_render_row(upper, lower) for upper, lower in zip(rows[::2], rows[1::2], strict=True)]


def render_ascii(image: QuantisedImage) -> list[Strip]:
    """Draw two rows of pixels as one row of letters, the brighter the denser."""
    return [Strip([Segment(row)], len(row)) for row in to_ascii_lines(image)]


def to_ascii_lines(image: QuantisedImage) -> list[str]:
    """Write two rows of pixels as one line of letters, the brighter the denser."""
    greys = image if image.ndim == 2 else image.mean(axis=2)
    means = greys.reshape(len(greys) // 2, 2, -1).mean(axis=1)
    places = np.round(means * (len(ASCII_RAMP) - 1) / 255).astype(int)
    return ["".join(ASCII_RAMP[place] for place in row) for row in places.tolist()]


def find_changed_spans(before: QuantisedImage, after: QuantisedImage) -> list[tuple[int, int, int]]:
    """List the cells that differ, as (row, first column, number of columns)."""
    differ = before != after if before.ndim == 2 else (before != after).any(axis=2)
    cells = differ.reshape(len(differ) // 2, 2, -1).any(axis=1)
    spans = []
    for row in np.flatnonzero(cells.any(axis=1)).tolist():
        columns = np.flatnonzero(cells[row])
        for run in np.split(columns, np.flatnonzero(np.diff(columns) > MAX_GAP_CELLS) + 1):
            spans.append((row, int(run[0]), int(run[-1] - run[0] + 1)))
    return spans


def _render_row(upper: list[Pixel], lower: list[Pixel]) -> Strip:
    segments: list[Segment] = []
    start, pairs = 0, list(zip(upper, lower, strict=True))
    for column in range(1, len(pairs) + 1):
        if column == len(pairs) or pairs[column] != pairs[start]:
            above, below = pairs[start]
            cell = " " if above == below else "▀"
            segments.append(Segment(cell * (column - start), _build_style(above, below)))
            start = column
    return Strip(segments, len(pairs))


@lru_cache(maxsize=4096)
def _build_style(upper: Pixel, lower: Pixel) -> Style:
    return Style(color=None if upper == lower else _build_colour(upper), bgcolor=_build_colour(lower))


@lru_cache(maxsize=4096)
def _build_colour(pixel: Pixel) -> Color:
    red, green, blue = (pixel, pixel, pixel) if isinstance(pixel, int) else pixel
    return Color.from_triplet(ColorTriplet(red, green, blue))


@lru_cache(maxsize=64)
def _compute_area_weights(old_size: int, new_size: int) -> NDArray[np.float64]:
    """Give the share of each of `many` old pixels in each of `few` new ones, [few, many]; rows sum to 1."""
    edges = np.linspace(0, old_size, new_size + 1)
    places = np.arange(old_size)
    overlap = np.minimum(edges[1:, None], places + 1) - np.maximum(edges[:-1, None], places)
    shares: NDArray[np.float64] = np.clip(overlap, 0, None) * new_size / old_size
    return shares

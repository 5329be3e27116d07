"""Images as text: half-block characters, exact or scaled, or ASCII characters."""

from __future__ import annotations

from dataclasses import dataclass
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
"""One image, grey [H, W] or RGB [H, W, 3], with the values of `fit_image`."""
Pixel: TypeAlias = "int | tuple[int, int, int]"
"""A grey level, or red, green and blue."""

LEVEL_STEP = 17
"""255 / 15: sixteen levels look like 256 and make a decoded centre a fifth smaller."""
COLOUR_LEVEL_STEP = 5
"""255 / 51: the levels of red, green and blue; coarser ones would tint dark greys."""
LEVELS = np.array([0, 18, 38, 48, 68, 88, 98, 118, 138, 148, 168, 188, 208, 218, 238, 255], np.uint8)
"""The sixteen levels; all of them exist in the palette of 256 colours, whose escape sequences are half as long."""
MAX_BLACK_LEVEL = 1
"""Levels up to this one are drawn black: the difference is invisible and costs 10 % of the bytes."""
CUBE_LEVELS = (0, 95, 135, 175, 215, 255)
"""Levels of red, green and blue in the palette of 256 colours."""
PALETTE_GREYS = tuple(range(8, 239, 10))
"""Grey levels of the palette besides those of its cube."""
ASCII_RAMP = " .:-=+*#%@"
"""Characters from dark to bright."""
MAX_GAP_CELLS = 3
"""Up to this many unchanged cells between two changed cells are cheaper to repaint than to skip."""


def fit_image(pixels: Pixels, width: int, height: int) -> QuantisedImage:
    """Scale an image, [H, W] or [H, W, 3], to [height, width], centred on black and quantised.

    Grey images have the values of `LEVELS`, colour images multiples of `COLOUR_LEVEL_STEP`.

    Small images are enlarged by whole factors, so that pixels stay square. Large images are reduced by area
    averaging, so that thin strokes stay visible.
    """
    image_height, image_width, *channels = pixels.shape
    scale = min(height / image_height, width / image_width)
    if scale >= 1:
        factor = int(scale)
        scaled = pixels.astype(np.float64).repeat(factor, axis=0).repeat(factor, axis=1)
    else:
        row_weights = _compute_area_weights(image_height, max(round(image_height * scale), 1))
        column_weights = _compute_area_weights(image_width, max(round(image_width * scale), 1))
        scaled = np.einsum("hi,ij...,wj->hw...", row_weights, pixels, column_weights, optimize=True)
    image = np.zeros((height, width, *channels), np.uint8)
    top, left = (height - scaled.shape[0]) // 2, (width - scaled.shape[1]) // 2
    if channels:
        is_black = (np.round(scaled / LEVEL_STEP) <= MAX_BLACK_LEVEL).all(axis=2, keepdims=True)
        rounded = np.round(scaled / COLOUR_LEVEL_STEP).astype(np.uint8) * np.uint8(COLOUR_LEVEL_STEP)
        quantised = np.where(is_black, np.uint8(0), rounded)
    else:
        levels = np.round(scaled / LEVEL_STEP).astype(np.uint8)
        quantised = np.where(levels > MAX_BLACK_LEVEL, LEVELS[levels], np.uint8(0))
    image[top : top + scaled.shape[0], left : left + scaled.shape[1]] = quantised
    return image


def render_half_blocks(image: QuantisedImage) -> list[Strip]:
    """Draw two rows of pixels as one row of cells: the upper as foreground, the lower as background."""
    rows = image.tolist() if image.ndim == 2 else [[*map(tuple, row)] for row in image.tolist()]
    return [_render_row(upper, lower) for upper, lower in zip(rows[::2], rows[1::2], strict=True)]


def render_ascii(image: QuantisedImage) -> list[Strip]:
    """Draw two rows of pixels as one row of ASCII characters."""
    return [Strip([Segment(line)], len(line)) for line in to_ascii_lines(image)]


def to_ascii_lines(image: QuantisedImage) -> list[str]:
    """Return one line of characters from `ASCII_RAMP` for every two rows of pixels."""
    greys = image if image.ndim == 2 else image.mean(axis=2)
    means = greys.reshape(len(greys) // 2, 2, -1).mean(axis=1)
    indices = np.round(means * (len(ASCII_RAMP) - 1) / 255).astype(int)
    return ["".join(ASCII_RAMP[index] for index in row) for row in indices.tolist()]


def find_changed_spans(before: QuantisedImage, after: QuantisedImage) -> list[tuple[int, int, int]]:
    """Return the cells that differ, as (row, first column, number of columns)."""
    is_different = before != after if before.ndim == 2 else (before != after).any(axis=2)
    cells = is_different.reshape(len(is_different) // 2, 2, -1).any(axis=1)
    spans = []
    for row in np.flatnonzero(cells.any(axis=1)).tolist():
        columns = np.flatnonzero(cells[row])
        runs = np.split(columns, np.flatnonzero(np.diff(columns) > MAX_GAP_CELLS) + 1)
        spans += [(row, int(run[0]), int(run[-1] - run[0] + 1)) for run in runs]
    return spans


def _render_row(upper_row: list[Pixel], lower_row: list[Pixel]) -> Strip:
    segments: list[Segment] = []
    start, pairs = 0, list(zip(upper_row, lower_row, strict=True))
    for column in range(1, len(pairs) + 1):
        if column == len(pairs) or pairs[column] != pairs[start]:
            upper, lower = pairs[start]
            character = " " if upper == lower else "▀"
            segments.append(Segment(character * (column - start), _build_style(upper, lower)))
            start = column
    return Strip(segments, len(pairs))


@lru_cache(maxsize=4096)
def _build_style(upper: Pixel, lower: Pixel) -> Style:
    return Style(color=None if upper == lower else _build_colour(upper), bgcolor=_build_colour(lower))


@lru_cache(maxsize=4096)
def _build_colour(pixel: Pixel) -> Color:
    red, green, blue = (pixel, pixel, pixel) if isinstance(pixel, int) else pixel
    if _terminal_colours.has_palette:
        red, green, blue = find_palette_colour(red, green, blue)
    return Color.from_triplet(ColorTriplet(red, green, blue))


@dataclass(slots=True)
class _TerminalColours:
    """The colours of the one terminal of the program."""

    has_palette: bool = False


_terminal_colours = _TerminalColours()


def set_palette_mode(has_palette: bool) -> None:
    """Set whether the terminal has a palette of 256 colours, from which pictures choose the nearest."""
    _terminal_colours.has_palette = has_palette
    _build_colour.cache_clear()
    _build_style.cache_clear()


def find_palette_colour(red: int, green: int, blue: int) -> tuple[int, int, int]:
    """Return a colour that Rich writes as the palette's nearest one: Rich itself turns dark greys into teal or olive.

    A grey of the palette is returned as the grey that Rich rounds to it.
    """
    cube = tuple(min(CUBE_LEVELS, key=lambda level: abs(level - value)) for value in (red, green, blue))
    mean = (red + green + blue) / 3
    index = min(range(len(PALETTE_GREYS)), key=lambda index: abs(PALETTE_GREYS[index] - mean))
    grey = PALETTE_GREYS[index]
    cube_distance = sum((level - value) ** 2 for level, value in zip(cube, (red, green, blue), strict=True))
    grey_distance = sum((grey - value) ** 2 for value in (red, green, blue))
    is_cube_grey = len(set(cube)) == 1 and cube[0] not in (0, 255)  # Rich writes none of these
    if cube_distance <= grey_distance and not is_cube_grey:
        return cube[0], cube[1], cube[2]
    rich_grey = round((index + 1) * 255 / 25)
    return rich_grey, rich_grey, rich_grey


@lru_cache(maxsize=64)
def _compute_area_weights(old_size: int, new_size: int) -> NDArray[np.float64]:
    """Return the share of every old pixel in every new pixel, [new_size, old_size]; rows sum to 1."""
    edges = np.linspace(0, old_size, new_size + 1)
    positions = np.arange(old_size)
    overlaps = np.minimum(edges[1:, None], positions + 1) - np.maximum(edges[:-1, None], positions)
    weights: NDArray[np.float64] = np.clip(overlaps, 0, None) * new_size / old_size
    return weights

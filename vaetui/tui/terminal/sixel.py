"""Encode images as sixel graphics (DEC STD 070), which many terminals draw."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Pixels

BAND_ROWS = 6
"""Rows of pixels in one line of sixel characters; each character holds one column of them."""
MAX_GREY_LEVELS = 32
"""Grey levels where the terminal has as many colour registers: more are not told apart."""
MAX_COLOURS = 64
"""Colours of a colour image where the terminal has as many registers; more take several times as long to encode."""
MAX_SAMPLE_SIDE = 32
"""Rows and columns of the sample from which the colours are chosen: of all pixels this takes a tenth of a second."""
MIN_REPEATED = 4
"""A run of as many equal characters is shorter as a repeat sequence."""


def encode_sixel(image: Pixels, max_colours: int) -> str:
    """Return the escape sequence that draws an image, [H, W] or [H, W, 3], at the cursor in at most `max_colours`.

    All pixels are drawn, so the image covers what was there before.
    """
    indices, palette = _quantise(image, max_colours)
    height, width = indices.shape
    registers = "".join(
        f"#{number};2;{red};{green};{blue}" for number, (red, green, blue) in enumerate((palette * 100 + 127) // 255)
    )
    return f'\x1bP0;1q"1;1;{width};{height}{registers}{_encode_bands(indices, len(palette))}\x1b\\'


def _encode_bands(indices: NDArray[np.intp], colour_count: int) -> str:
    """Return the sixel characters of an image of register numbers, [H, W]."""
    height, width = indices.shape
    band_count = -(-height // BAND_ROWS)
    bits = np.zeros((band_count, colour_count, width), np.uint8)  # bit r: row r of the band has this colour
    bands, columns = np.arange(band_count)[:, None], np.arange(width)[None]
    for row in range(BAND_ROWS):
        rows = indices[row::BAND_ROWS]
        bits[bands[: len(rows)], rows, columns] |= 1 << row
    used_bands, used_colours = np.nonzero(bits.any(axis=2))
    characters = bits[used_bands, used_colours]  # [colours of all bands, width]
    is_start = np.ones(characters.shape, bool)
    is_start[:, 1:] = characters[:, 1:] != characters[:, :-1]
    starts = np.flatnonzero(is_start)
    lengths = np.diff(starts, append=characters.size).tolist()
    runs = [*map(_encode_run, characters.ravel()[starts].tolist(), lengths)]
    ends = np.searchsorted(starts, np.arange(1, len(characters) + 1) * width).tolist()
    parts: list[str] = []
    first_run, last_band = 0, 0
    for band, colour, end in zip(used_bands.tolist(), used_colours.tolist(), ends, strict=True):
        parts.append("-" if band != last_band else "$" if parts else "")
        parts += (f"#{colour}", *runs[first_run:end])
        first_run, last_band = end, band
    return "".join(parts)


@lru_cache(65536)
def _encode_run(bits: int, length: int) -> str:
    character = chr(63 + bits)
    return f"!{length}{character}" if length >= MIN_REPEATED else character * length


def _quantise(image: Pixels, max_colours: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the register number of each pixel, [H, W], and the colours of the registers, [registers, 3]."""
    if image.ndim == 2:
        level_count = min(max_colours, MAX_GREY_LEVELS)
        levels = np.round(image / 255 * (level_count - 1)).astype(np.intp)
        greys = np.round(np.linspace(0, 255, level_count)).astype(np.int64)
        return levels, greys[:, None].repeat(3, axis=1)
    from PIL import Image

    coloured = Image.fromarray(np.ascontiguousarray(image))
    colour_count = min(max_colours, MAX_COLOURS)
    if (colours := coloured.getcolors(colour_count)) is not None:
        palette_values = [value for _, colour in colours for value in cast("tuple[int, ...]", colour)]
        palette_image = Image.new("P", (1, 1))
        palette_image.putpalette(palette_values)
    else:
        step = max(min(coloured.size) // MAX_SAMPLE_SIDE, 1)
        sample = Image.fromarray(np.ascontiguousarray(image[step // 2 :: step, step // 2 :: step]))
        palette_image = sample.quantize(colour_count, Image.Quantize.MEDIANCUT, kmeans=1)
        palette_values = (palette_image.getpalette() or [])[: 3 * colour_count]
    quantised = coloured.quantize(palette=palette_image, dither=Image.Dither.NONE)
    return np.asarray(quantised, np.intp), np.array(palette_values, np.int64).reshape(-1, 3)

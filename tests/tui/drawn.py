"""Digits drawn by rule, as soft as decoded centres; they know no data set."""

from __future__ import annotations

import numpy as np

from vaetui.engine.clusters import Pixels

SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
"""Which strokes of a seven-segment display make each digit."""
STROKES = {
    "a": (4, 6, 8, 20),
    "b": (5, 14, 18, 21),
    "c": (13, 23, 18, 21),
    "d": (21, 23, 8, 20),
    "e": (13, 23, 7, 10),
    "f": (5, 14, 7, 10),
    "g": (13, 15, 8, 20),
}
"""Top, bottom, left and right of each stroke in a picture of 28 by 28."""


def digit(label: int, seed: int = 0, side: int = 28) -> Pixels:
    """Draw a soft digit, [side, side]; each seed has another strength and slant."""
    draws = np.random.default_rng(seed)
    picture = np.zeros((28, 28))
    for stroke in SEGMENTS[label % 10]:
        top, bottom, left, right = STROKES[stroke]
        picture[top:bottom, left:right] = draws.uniform(180, 255)
    slant = draws.integers(-2, 3)
    for row in range(28):
        picture[row] = np.roll(picture[row], round(slant * (14 - row) / 14))
    padded = np.pad(picture, 1)
    soft = np.mean([padded[y : y + 28, x : x + 28] for y in range(3) for x in range(3)], axis=0)
    steps = (np.arange(side) * 28) // side
    grey: Pixels = soft[np.ix_(steps, steps)].astype(np.uint8)
    return grey

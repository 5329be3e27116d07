"""Images of digits, drawn by rule and blurred like decoded cluster centres."""

from __future__ import annotations

import numpy as np

from vaetui.engine.clusters import Pixels

SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
"""Strokes of a seven-segment display by digit."""
STROKES = {
    "a": (4, 6, 8, 20),
    "b": (5, 14, 18, 21),
    "c": (13, 23, 18, 21),
    "d": (21, 23, 8, 20),
    "e": (13, 23, 7, 10),
    "f": (5, 14, 7, 10),
    "g": (13, 15, 8, 20),
}
"""Top, bottom, left and right of each stroke in a 28x28 image."""


def draw_digit(digit: int, seed: int = 0, side: int = 28) -> Pixels:
    """Draw a digit, [side, side]; the seed sets its brightness and slant."""
    rng = np.random.default_rng(seed)
    image = np.zeros((28, 28))
    for stroke in SEGMENTS[digit % 10]:
        top, bottom, left, right = STROKES[stroke]
        image[top:bottom, left:right] = rng.uniform(180, 255)
    slant = rng.integers(-2, 3)
    for row in range(28):
        image[row] = np.roll(image[row], round(slant * (14 - row) / 14))
    padded = np.pad(image, 1)
    blurred = np.mean([padded[y : y + 28, x : x + 28] for y in range(3) for x in range(3)], axis=0)
    indices = (np.arange(side) * 28) // side
    pixels: Pixels = blurred[np.ix_(indices, indices)].astype(np.uint8)
    return pixels

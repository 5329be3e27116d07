"""Arrays of images become grey pixels of one size, piece by piece; it does not know what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from vaetui.engine.clusters import Pixels
from vaetui.intake.levels import grey, levels
from vaetui.intake.pictures import fitted
from vaetui.intake.stacks import Stack, explained


def sides(stack: Stack) -> tuple[int, int]:
    """Give height and width of the images in an array.

    Raises Trouble for an array that holds none.
    """
    with explained(stack.what):
        height, width = grey(np.empty((1, *stack.shape[1:]), stack.dtype)).shape[1:]
        return height, width


def convert(stack: Stack, size: tuple[int, int]) -> Iterator[Pixels]:
    """Give the images [n, H, W] brought to height and width, some at a time.

    Raises Trouble for a damaged file, and for numbers that are none.
    """
    with explained(stack.what):
        scale = levels(stack.pieces())
        for piece in stack.pieces():
            pixels = scale.pixels(grey(piece))
            if pixels.shape[1:] != size:
                pixels = np.stack([fitted(Image.fromarray(each), size) for each in pixels])
            yield pixels

"""Arrays of images become pixels of one size, piece by piece; it does not know what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from vaetui.data.array_files import Stack, explained
from vaetui.data.image_files import fitted, tinted
from vaetui.data.value_range import arranged, grey, levels
from vaetui.engine.clusters import Pixels
from vaetui.engine.idx import COLOURS


def sides(stack: Stack) -> tuple[int, int]:
    """Give height and width of the images in an array.

    Raises Trouble for an array that holds none.
    """
    height, width, *_ = _shape(stack)
    return height, width


def coloured(stack: Stack) -> bool:
    """Tell whether the first images in an array show colours.

    Raises Trouble for an array that holds none, and for a damaged file.
    """
    if len(_shape(stack)) == 2 or not stack.shape[0]:
        return False
    with explained(stack.what):
        first = arranged(next(stack.pieces()))
        return tinted(levels([first]).pixels(first))


def convert(stack: Stack, shape: tuple[int, ...]) -> Iterator[Pixels]:
    """Give the images brought to `shape` (height, width), in colour (height, width, 3), some at a time.

    Raises Trouble for a damaged file, and for numbers that are none.
    """
    size, colour = (shape[0], shape[1]), len(shape) == 3
    with explained(stack.what):
        scale = levels(stack.pieces())
        for piece in stack.pieces():
            pixels = arranged(piece)
            pixels = scale.pixels(pixels if colour else grey(pixels))
            if pixels.shape[1:3] != size:
                pixels = np.stack([fitted(Image.fromarray(each), size) for each in pixels])
            yield np.repeat(pixels[..., None], COLOURS, axis=3) if colour and pixels.ndim == 3 else pixels


def _shape(stack: Stack) -> tuple[int, ...]:
    with explained(stack.what):
        return arranged(np.empty((1, *stack.shape[1:]), stack.dtype)).shape[1:]

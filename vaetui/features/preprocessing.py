"""Bring a decoded image to the pixels that an image model expects; imports nothing heavy: decoding processes use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaetui.engine.idx import COLOUR_CHANNELS

DRAFT_SCALE = 2
"""A JPEG is decoded at a reduced size, at least this many times the size of the input: vectors of photographs then
have a cosine of 0.998 with those from full size, where a rotation by one degree gives 0.98."""
REDUCING_GAP = 3.0
"""Images over this many times larger than the input are first reduced by an integer, which is several times as fast;
the cosine with the vectors from exact resizing is 0.9998."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Resizing and cropping; the result is an RGB image [H, W, 3]."""

    resize: tuple[int, int] | int | None
    """Height and width to resize to, or the length that the shorter side gets; None keeps the size."""
    crop: tuple[int, int] | None = None
    """Height and width of the part that is cut from the centre, filled up with black; None keeps everything."""
    resample: Image.Resampling = Image.Resampling.BICUBIC
    """The filter of the resizing; all of them smooth what they reduce."""

    def __post_init__(self) -> None:
        """Raise ValueError if the result has no fixed size."""
        if self.crop is None and not isinstance(self.resize, tuple):
            raise ValueError("neither a size nor a crop is given")

    @property
    def mode(self) -> Literal["L", "RGB"]:
        """Image models were trained on colours."""
        return "RGB"

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the result."""
        if self.crop is not None:
            return self.crop
        assert isinstance(self.resize, tuple)
        return self.resize

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result, (H, W, 3)."""
        return (*self.size, COLOUR_CHANNELS)

    @property
    def draft_side_px(self) -> int:
        """The side that a page needs."""
        if self.resize is None:
            return 1 << 30  # no reduced size
        return DRAFT_SCALE * (self.resize if isinstance(self.resize, int) else max(self.resize))

    def apply(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the pixels of an RGB image."""
        if self.resize is not None:
            height, width = self._compute_size(image) if isinstance(self.resize, int) else self.resize
            if image.size != (width, height):
                gap = None if self.resample == Image.Resampling.NEAREST else REDUCING_GAP
                image = image.resize((width, height), self.resample, reducing_gap=gap)
        if self.crop is not None and (image.height, image.width) != self.crop:
            height, width = self.crop
            left, top = (image.width - width) // 2, (image.height - height) // 2
            image = image.crop((left, top, left + width, top + height))
        return np.asarray(image, np.uint8)

    def _compute_size(self, image: Image.Image) -> tuple[int, int]:
        """Return the height and width at which the shorter side has the wanted length."""
        assert isinstance(self.resize, int)
        shorter = min(image.width, image.height)
        return self.resize * image.height // shorter, self.resize * image.width // shorter

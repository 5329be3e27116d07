"""Decode one image file into pixels; any damaged or hostile file raises UnusableImageError with a reason."""

from __future__ import annotations

import os
import stat
import warnings
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from vaetui.engine.idx import COLOUR_CHANNELS

StrPath: TypeAlias = "str | os.PathLike[str]"
"""The path of a file. Strings are much faster to create than Path objects, which matters for a million files."""
PILLOW_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
"""Formats that Pillow may try; its decoders for rarer formats are never run on untrusted files."""
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
"""Suffixes of image files, compared without case."""
MIN_SIDE_PX, MAX_PIXELS = 4, 100_000_000
"""Smallest usable side, and the most pixels that are decoded: more than any camera takes."""
MAX_DRAFT_SCALE = 2
"""A JPEG is decoded at a reduced size, at least this many times the target size, if its format allows that."""
GREY_MODES = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L")
"""Pillow modes without colours."""
COLOUR_PROBE_SIDE_PX, MIN_CHANNEL_RANGE = 32, 6.0
"""Side at which colours are measured, and the mean range of red, green and blue (of 255) above which an image counts as
coloured: scanners and JPEG give grey images a smaller range."""
MIN_LIGHT_GREY = 128
"""Mean grey level from which an image counts as light: its transparent pixels become black, else white."""


class UnusableImageError(Exception):
    """A file that cannot be used. The message completes a sentence that starts with the name of the file."""


def read_image_size(path: StrPath) -> tuple[int, int]:
    """Return height and width as displayed, from the header alone; raises UnusableImageError for an unusable file."""
    with _open_image(path) as image:
        width, height = image.size
        has_swapped_sides = image.getexif().get(0x0112, 1) >= 5  # EXIF orientations 5 to 8 are quarter turns
        return (width, height) if has_swapped_sides else (height, width)


def is_coloured_file(path: StrPath) -> bool:
    """Return whether an image shows colours; False if it is unusable."""
    try:
        with _open_image(path) as image:
            if image.mode in GREY_MODES:
                return False
        return is_coloured(decode_image(path, (COLOUR_PROBE_SIDE_PX, COLOUR_PROBE_SIDE_PX, COLOUR_CHANNELS))[None])
    except UnusableImageError:
        return False


def is_coloured(pixels: NDArray[np.uint8]) -> bool:
    """Return whether images [N, H, W, 3] show visible colours."""
    return float(np.ptp(pixels, axis=3).mean()) > MIN_CHANNEL_RANGE


def decode_image(path: StrPath, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the pixels of an image, resized to `shape` (H, W) or (H, W, 3) and turned by its EXIF orientation.

    Raises UnusableImageError if the file is not an image, damaged, too small or too large.
    """
    size, mode = (shape[0], shape[1]), "RGB" if len(shape) == 3 else "L"
    try:
        with _open_image(path) as image:
            draft_side = MAX_DRAFT_SCALE * max(size)
            image.draft(mode, (draft_side, draft_side))
            ImageOps.exif_transpose(image, in_place=True)
            return resize_image(_convert_mode(image, mode), size)
    except UnusableImageError:
        raise
    except MemoryError as error:
        raise UnusableImageError("needs more memory than is available") from error
    except Exception as error:  # decoders raise arbitrary exceptions for hostile files
        raise UnusableImageError(f"cannot be decoded ({str(error)[:100] or type(error).__name__})") from error


def resize_image(image: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the pixels of a grey or RGB image resized to `size` (height, width)."""
    height, width = size
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(image, np.uint8)


def _open_image(path: StrPath) -> Image.Image:
    try:
        status = os.stat(path)  # opening a pipe would block
        if not stat.S_ISREG(status.st_mode):
            raise UnusableImageError("is not a regular file")
        if not status.st_size:
            raise UnusableImageError("is empty")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings about bombs, refused below, and about unusual tags
            image = Image.open(path, formats=PILLOW_FORMATS)
    except UnusableImageError:
        raise
    except FileNotFoundError as error:
        raise UnusableImageError("is a broken link" if os.path.islink(path) else "does not exist") from error
    except UnidentifiedImageError as error:
        raise UnusableImageError("is not an image in a supported format") from error
    except Image.DecompressionBombError as error:
        raise UnusableImageError(f"has more than {MAX_PIXELS:,} pixels") from error
    except Exception as error:  # header parsers too raise arbitrary exceptions for hostile files
        raise UnusableImageError(f"cannot be read ({str(error)[:100] or type(error).__name__})") from error
    width, height = image.size
    if min(width, height) < MIN_SIDE_PX:
        raise UnusableImageError(f"has {width}x{height} pixels; at least {MIN_SIDE_PX}x{MIN_SIDE_PX} are needed")
    if width * height > MAX_PIXELS:
        raise UnusableImageError(f"has {width}x{height} pixels; at most {MAX_PIXELS:,} are supported")
    return image


def _convert_mode(image: Image.Image, mode: str) -> Image.Image:
    """Convert an image of any mode to L or RGB, with a background behind transparent pixels."""
    if image.mode[0] in "IF":  # 16 and 32 bit integers, and floats
        return Image.fromarray(_scale_to_uint8(np.asarray(image, np.float64))).convert(mode)
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        rgba_image = image.convert("RGBA")
        grey, alpha = (np.asarray(channel, np.float64) for channel in rgba_image.convert("LA").split())
        is_light = float((grey * alpha).sum()) >= MIN_LIGHT_GREY * max(float(alpha.sum()), 1e-12)
        background = Image.new("RGBA", rgba_image.size, "black" if is_light else "white")
        return Image.alpha_composite(background, rgba_image).convert(mode)
    return image.convert(mode)


def _scale_to_uint8(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Scale values to 0-255: integers by their number of bits, floats by their range."""
    minimum, maximum = float(values.min()), float(values.max())
    if minimum >= 0 and maximum > 255 and (values == values.round()).all():
        return (values / (65_535 if maximum <= 65_535 else maximum) * 255).round().astype(np.uint8)
    if minimum >= 0 and maximum <= 255 and maximum > 1:
        return values.round().astype(np.uint8)
    if minimum >= 0 and maximum <= 1:
        return (values * 255).round().astype(np.uint8)
    return ((values - minimum) / max(maximum - minimum, 1e-12) * 255).round().astype(np.uint8)

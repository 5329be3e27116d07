"""One picture file becomes pixels, or one reason why not; whatever it holds, nothing else happens."""

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
"""The path of a file; a string is the fastest to make, where there are a million."""
PILLOW_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
"""What is decoded; Pillow is not asked about anything else."""
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
"""How names of pictures end, in small or large letters."""
MIN_SIDE_PX, MAX_PIXELS = 4, 100_000_000
"""Sides in pixels that show anything, and pixels in all that are worth their memory: more than any camera has."""
MAX_DRAFT_SCALE = 2
"""A JPEG is decoded at no more than so many times the size wanted, where its format allows that."""
GREY_MODES = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L")
"""Modes of pictures that have no colours."""
COLOUR_PROBE_SIDE_PX, MIN_CHANNEL_RANGE = 32, 6.0
"""Side in pixels at which it is looked for colours, and how far red, green and blue then lie apart in the mean, of 255:
less is what a scanner or a JPEG makes of grey."""
MIN_LIGHT_GREY = 128
"""Grey from which a picture is rather light: what is transparent then becomes black, else white."""


class UnusableImageError(Exception):
    """A file that cannot be used, with the reason as the rest of a sentence that begins with its name."""


def read_size(path: StrPath) -> tuple[int, int]:
    """Give height and width of a picture as it is shown, by its head alone.

    Raises UnfitError for what is no picture, and for one too small or too large.
    """
    with _open_image(path) as image:
        width, height = image.size
        turned = image.getexif().get(0x0112, 1) >= 5  # EXIF orientations that swap the sides
        return (width, height) if turned else (height, width)


def is_coloured_file(path: StrPath) -> bool:
    """Tell whether a picture shows colours; one that cannot be used shows none."""
    try:
        with _open_image(path) as image:
            if image.mode in GREY_MODES:
                return False
        return is_coloured(decode_image(path, (COLOUR_PROBE_SIDE_PX, COLOUR_PROBE_SIDE_PX, COLOUR_CHANNELS))[None])
    except UnusableImageError:
        return False


def is_coloured(pixels: NDArray[np.uint8]) -> bool:
    """Tell whether images [N, H, W, 3] show colours that an eye would see."""
    return float(np.ptp(pixels, axis=3).mean()) > MIN_CHANNEL_RANGE


def decode_image(path: StrPath, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Give the pixels of a picture, brought to `shape` (H, W[, 3]) and turned as its EXIF orientation says.

    Raises UnfitError for what is no picture, and for one that is damaged, too small or too large.
    """
    size, mode = (shape[0], shape[1]), "RGB" if len(shape) == 3 else "L"
    try:
        with _open_image(path) as image:
            wanted = MAX_DRAFT_SCALE * max(size)
            image.draft(mode, (wanted, wanted))
            ImageOps.exif_transpose(image, in_place=True)
            return resize(_convert_mode(image, mode), size)
    except UnusableImageError:
        raise
    except MemoryError as error:
        raise UnusableImageError("needs more memory than there is") from error
    except Exception as error:  # a decoder in the face of a hostile file may raise anything
        raise UnusableImageError(f"cannot be decoded ({str(error)[:100] or type(error).__name__})") from error


def resize(image: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bring a picture, grey or of red, green and blue, to height and width."""
    height, width = size
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(image, np.uint8)


def _open_image(path: StrPath) -> Image.Image:
    try:
        found = os.stat(path)  # a pipe would keep us waiting
        if not stat.S_ISREG(found.st_mode):
            raise UnusableImageError("is no file")
        if not found.st_size:
            raise UnusableImageError("is empty")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs, which are refused below, and of odd tags
            image = Image.open(path, formats=PILLOW_FORMATS)
    except UnusableImageError:
        raise
    except FileNotFoundError as error:
        raise UnusableImageError("is a link to nothing" if os.path.islink(path) else "is no file") from error
    except UnidentifiedImageError as error:
        raise UnusableImageError("is no picture of a known format") from error
    except Image.DecompressionBombError as error:
        raise UnusableImageError(f"has more than {MAX_PIXELS:,} pixels") from error
    except Exception as error:  # as above: heads can be hostile too
        raise UnusableImageError(f"cannot be read ({str(error)[:100] or type(error).__name__})") from error
    width, height = image.size
    if min(width, height) < MIN_SIDE_PX:
        raise UnusableImageError(f"has {width}x{height} pixels; at least {MIN_SIDE_PX}x{MIN_SIDE_PX} are needed")
    if width * height > MAX_PIXELS:
        raise UnusableImageError(f"has {width}x{height} pixels; no more than {MAX_PIXELS:,} are decoded")
    return image


def _convert_mode(image: Image.Image, mode: str) -> Image.Image:
    """Bring a picture of any mode to that one, L or RGB, with what is transparent filled."""
    if image.mode[0] in "IF":  # 16 and 32 bits, and real numbers
        return Image.fromarray(_scale_to_uint8(np.asarray(image, np.float64))).convert(mode)
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        whole = image.convert("RGBA")
        grey, cover = (np.asarray(layer, np.float64) for layer in whole.convert("LA").split())
        light = float((grey * cover).sum()) >= MIN_LIGHT_GREY * max(float(cover.sum()), 1e-12)
        ground = Image.new("RGBA", whole.size, "black" if light else "white")
        return Image.alpha_composite(ground, whole).convert(mode)
    return image.convert(mode)


def _scale_to_uint8(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Bring values of many levels to 256: whole numbers by their number of bits, others by their range."""
    least, most = float(values.min()), float(values.max())
    if least >= 0 and most > 255 and (values == values.round()).all():
        return (values / (65_535 if most <= 65_535 else most) * 255).round().astype(np.uint8)
    if least >= 0 and most <= 255 and most > 1:
        return values.round().astype(np.uint8)
    if least >= 0 and most <= 1:
        return (values * 255).round().astype(np.uint8)
    return ((values - least) / max(most - least, 1e-12) * 255).round().astype(np.uint8)

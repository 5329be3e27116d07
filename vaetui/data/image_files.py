"""One picture file becomes pixels, or one reason why not; whatever it holds, nothing else happens."""

from __future__ import annotations

import os
import stat
import warnings
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from vaetui.engine.idx import COLOURS

Name: TypeAlias = "str | os.PathLike[str]"
"""The path of a file; a string is the fastest to make, where there are a million."""
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
"""What is decoded; Pillow is not asked about anything else."""
ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
"""How names of pictures end, in small or large letters."""
LEAST, MOST = 4, 100_000_000
"""Sides in pixels that show anything, and pixels in all that are worth their memory: more than any camera has."""
FEWER = 2
"""A JPEG is decoded at no more than so many times the size wanted, where its format allows that."""
COLOURLESS = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L")
"""Modes of pictures that have no colours."""
GLANCE, TINT = 32, 6.0
"""Side in pixels at which it is looked for colours, and how far red, green and blue then lie apart in the mean, of 255:
less is what a scanner or a JPEG makes of grey."""
BRIGHT = 128
"""Grey from which a picture is rather light: what is transparent then becomes black, else white."""


class UnfitError(Exception):
    """A file that cannot be used, with the reason as the rest of a sentence that begins with its name."""


def side(path: Name) -> tuple[int, int]:
    """Give height and width of a picture as it is shown, by its head alone.

    Raises UnfitError for what is no picture, and for one too small or too large.
    """
    with _opened(path) as image:
        width, height = image.size
        turned = image.getexif().get(0x0112, 1) >= 5  # EXIF orientations that swap the sides
        return (width, height) if turned else (height, width)


def colourful(path: Name) -> bool:
    """Tell whether a picture shows colours; one that cannot be used shows none."""
    try:
        with _opened(path) as image:
            if image.mode in COLOURLESS:
                return False
        return tinted(decode(path, (GLANCE, GLANCE, COLOURS))[None])
    except UnfitError:
        return False


def tinted(pixels: NDArray[np.uint8]) -> bool:
    """Tell whether images [N, H, W, 3] show colours that an eye would see."""
    return float(np.ptp(pixels, axis=3).mean()) > TINT


def decode(path: Name, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Give the pixels of a picture, brought to `shape` (H, W[, 3]) and turned as its EXIF orientation says.

    Raises UnfitError for what is no picture, and for one that is damaged, too small or too large.
    """
    size, mode = (shape[0], shape[1]), "RGB" if len(shape) == 3 else "L"
    try:
        with _opened(path) as image:
            wanted = FEWER * max(size)
            image.draft(mode, (wanted, wanted))
            ImageOps.exif_transpose(image, in_place=True)
            return fitted(_plain(image, mode), size)
    except UnfitError:
        raise
    except MemoryError as error:
        raise UnfitError("needs more memory than there is") from error
    except Exception as error:  # a decoder in the face of a hostile file may raise anything
        raise UnfitError(f"cannot be decoded ({str(error)[:100] or type(error).__name__})") from error


def fitted(picture: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bring a picture, grey or of red, green and blue, to height and width."""
    height, width = size
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(picture, np.uint8)


def _opened(path: Name) -> Image.Image:
    try:
        found = os.stat(path)  # a pipe would keep us waiting
        if not stat.S_ISREG(found.st_mode):
            raise UnfitError("is no file")
        if not found.st_size:
            raise UnfitError("is empty")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs, which are refused below, and of odd tags
            image = Image.open(path, formats=FORMATS)
    except UnfitError:
        raise
    except FileNotFoundError as error:
        raise UnfitError("is a link to nothing" if os.path.islink(path) else "is no file") from error
    except UnidentifiedImageError as error:
        raise UnfitError("is no picture of a known format") from error
    except Image.DecompressionBombError as error:
        raise UnfitError(f"has more than {MOST:,} pixels") from error
    except Exception as error:  # as above: heads can be hostile too
        raise UnfitError(f"cannot be read ({str(error)[:100] or type(error).__name__})") from error
    width, height = image.size
    if min(width, height) < LEAST:
        raise UnfitError(f"has {width}x{height} pixels; at least {LEAST}x{LEAST} are needed")
    if width * height > MOST:
        raise UnfitError(f"has {width}x{height} pixels; no more than {MOST:,} are decoded")
    return image


def _plain(image: Image.Image, mode: str) -> Image.Image:
    """Bring a picture of any mode to that one, L or RGB, with what is transparent filled."""
    if image.mode[0] in "IF":  # 16 and 32 bits, and real numbers
        return Image.fromarray(_stretched(np.asarray(image, np.float64))).convert(mode)
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        whole = image.convert("RGBA")
        grey, cover = (np.asarray(layer, np.float64) for layer in whole.convert("LA").split())
        light = float((grey * cover).sum()) >= BRIGHT * max(float(cover.sum()), 1e-12)
        ground = Image.new("RGBA", whole.size, "black" if light else "white")
        return Image.alpha_composite(ground, whole).convert(mode)
    return image.convert(mode)


def _stretched(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Bring values of many levels to 256: whole numbers by their number of bits, others by their range."""
    least, most = float(values.min()), float(values.max())
    if least >= 0 and most > 255 and (values == values.round()).all():
        return (values / (65_535 if most <= 65_535 else most) * 255).round().astype(np.uint8)
    if least >= 0 and most <= 255 and most > 1:
        return values.round().astype(np.uint8)
    if least >= 0 and most <= 1:
        return (values * 255).round().astype(np.uint8)
    return ((values - least) / max(most - least, 1e-12) * 255).round().astype(np.uint8)

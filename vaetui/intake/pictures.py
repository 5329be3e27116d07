"""One picture file becomes grey pixels, or one reason why not; whatever it holds, nothing else happens."""

from __future__ import annotations

import stat
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
"""What is decoded; Pillow is not asked about anything else."""
ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
"""How names of pictures end, in small or large letters."""
LEAST, MOST = 4, 100_000_000
"""Sides in pixels that show anything, and pixels in all that are worth their memory: more than any camera has."""
FEWER = 2
"""A JPEG is decoded at no more than so many times the size wanted, where its format allows that."""
BRIGHT = 128
"""Grey from which a picture is rather light: what is transparent then becomes black, else white."""


class UnfitError(Exception):
    """A file that cannot be used, with the reason as the rest of a sentence that begins with its name."""


def side(path: Path) -> tuple[int, int]:
    """Give height and width of a picture as it is shown, by its head alone.

    Raises UnfitError for what is no picture, and for one too small or too large.
    """
    with _opened(path) as image:
        width, height = image.size
        turned = image.getexif().get(0x0112, 1) >= 5  # EXIF orientations that swap the sides
        return (width, height) if turned else (height, width)


def decode(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Give the pixels of a picture, [H, W], brought to `size` and turned as its EXIF orientation says.

    Raises UnfitError for what is no picture, and for one that is damaged, too small or too large.
    """
    try:
        with _opened(path) as image:
            wanted = FEWER * max(size)
            image.draft("L", (wanted, wanted))
            ImageOps.exif_transpose(image, in_place=True)
            return fitted(_grey(image), size)
    except UnfitError:
        raise
    except MemoryError as error:
        raise UnfitError("needs more memory than there is") from error
    except Exception as error:  # a decoder in the face of a hostile file may raise anything
        raise UnfitError(f"cannot be decoded ({str(error)[:100] or type(error).__name__})") from error


def fitted(grey: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bring a grey picture to height and width."""
    height, width = size
    if grey.size != (width, height):
        grey = grey.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(grey, np.uint8)


def _opened(path: Path) -> Image.Image:
    try:
        found = path.stat()  # a pipe would keep us waiting
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
        raise UnfitError("is a link to nothing" if path.is_symlink() else "is no file") from error
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


def _grey(image: Image.Image) -> Image.Image:
    """Make a picture of any mode grey."""
    if image.mode[0] in "IF":  # 16 and 32 bits, and real numbers
        return Image.fromarray(_stretched(np.asarray(image, np.float64)))
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        layers = np.asarray(image.convert("RGBA").convert("LA"), np.float64)
        grey, cover = layers[..., 0], layers[..., 1] / 255
        light = float((grey * cover).sum()) >= BRIGHT * max(float(cover.sum()), 1e-12)
        return Image.fromarray((grey * cover + (0 if light else 255) * (1 - cover)).round().astype(np.uint8))
    return image.convert("L")


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

"""Pictures that carry a number in their pixels, and their encodings in many formats.

The number survives resizing, grey and colour, any range of values, and lossy compression: a test reads it back from a
dataset to find out which picture is where.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, features

BLOCKS = 4
"""Blocks on a side: one black, one white, and one for each bit of the number."""
MIN_CONTRAST = 3
"""Fewest grey levels between black and white of a picture whose number can be read."""
MAX_NUMBER = 2 ** (BLOCKS * BLOCKS - 2) - 1
SIDES_PX = (16, 20, 24, 32)
MAX_PAGES = 4
ORIENTATION_TAG = 0x0112
INVERSE_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How pixels have to be stored with an EXIF orientation to be displayed upright."""
TIFF_COMPRESSIONS = (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """An image file."""

    suffix: str
    """The ending of its name."""
    content: bytes
    """Its content."""
    numbers: tuple[int, ...]
    """The numbers of its pages."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The values of white in the files of one case, which all share one range."""

    white_16_bit: int
    """The value in 16-bit files."""
    white_float: float
    """The value in files of floats."""


def draw_scale(draw: random.Random) -> Scale:
    return Scale(draw.choice((1_023, 4_095, 65_535)), draw.choice((1.0, 255.0, 3.5)))


def draw_picture(number: int, height: int, width: int) -> NDArray[np.uint8]:
    """Return a picture [height, width] of black and white blocks that carries the number."""
    bits = [0, 1, *(number >> bit & 1 for bit in range(BLOCKS * BLOCKS - 2))]
    blocks = np.array(bits, np.uint8).reshape(BLOCKS, BLOCKS) * 255
    rows, columns = (np.arange(length) * BLOCKS // length for length in (height, width))
    return np.ascontiguousarray(blocks[rows][:, columns])


def read_number(pixels: NDArray[np.uint8]) -> int | None:
    """Return the number in a picture [H, W] or [H, W, 3]; None if it carries none."""
    grey = pixels.mean(axis=2) if pixels.ndim == 3 else pixels.astype(float)
    height, width = grey.shape
    levels = [
        grey[_centre(row, height), _centre(column, width)].mean() for row in range(BLOCKS) for column in range(BLOCKS)
    ]
    black, white = levels[:2]
    if white - black < MIN_CONTRAST:
        return None
    return sum(int(level >= (black + white) / 2) << index for index, level in enumerate(levels[2:]))


def _centre(block: int, length: int) -> slice:
    size = length / BLOCKS
    return slice(round((block + 0.3) * size), max(round((block + 0.7) * size), round((block + 0.3) * size) + 1))


def encode_file(draw: random.Random, scale: Scale, next_number: Callable[[], int]) -> EncodedFile:
    """Return a file in a random format, with metadata that may be broken while the pixels are sound."""
    return draw.choice(ENCODERS)(draw, scale, next_number)


def _encode_png(draw: random.Random, scale: Scale, next_number: Callable[[], int]) -> EncodedFile:
    number = next_number()
    image, options = _draw_image(draw, number, ("L", "RGB", "RGBA", "LA", "P", "1", "I;16"), scale)
    return EncodedFile(".png", _save(image, "png", **options), (number,))


def _encode_jpeg(draw: random.Random, scale: Scale, next_number: Callable[[], int]) -> EncodedFile:
    number = next_number()
    image, options = _draw_image(draw, number, ("L", "RGB", "CMYK"), scale)
    suffix = draw.choice((".jpg", ".JPEG", ".jpe", ".jfif"))
    return EncodedFile(suffix, _save(image, "jpeg", quality=95, subsampling=0, **options), (number,))


def _encode_tiff(draw: random.Random, scale: Scale, next_number: Callable[[], int]) -> EncodedFile:
    numbers = _draw_numbers(draw, next_number)
    mode = draw.choice(("L", "RGB", "I;16", "F", "1"))
    size = _draw_size(draw)
    images = [_to_mode(draw_picture(number, *size), mode, scale) for number in numbers]
    options: dict[str, Any] = {"compression": draw.choice(TIFF_COMPRESSIONS)}
    if draw.random() < 0.2:
        options["icc_profile"] = _draw_profile(draw)
    content = _save(images[0], "tiff", save_all=True, append_images=images[1:], **options)
    return EncodedFile(draw.choice((".tif", ".tiff")), content, numbers)


def _encode_turned_tiff(draw: random.Random, scale: Scale, next_number: Callable[[], int]) -> EncodedFile:
    number = next_number()
    image, options = _draw_image(draw, number, ("L", "RGB", "I;16"), scale, always_turned=True)
    return EncodedFile(".tif", _save(image, "tiff", compression=draw.choice(TIFF_COMPRESSIONS), **options), (number,))


def _encode_animation(draw: random.Random, scale: Scale, next_number: Callable[[], int]) -> EncodedFile:
    suffix, format_name = draw.choice(((".gif", "gif"), (".png", "png"), (".webp", "webp")))
    numbers = _draw_numbers(draw, next_number)
    size = _draw_size(draw)
    images = [Image.fromarray(draw_picture(number, *size)).convert("RGB") for number in numbers]
    options = {"lossless": True} if format_name == "webp" else {}
    content = _save(images[0], format_name, save_all=True, append_images=images[1:], duration=100, **options)
    return EncodedFile(suffix, content, numbers)


def _encode_webp(draw: random.Random, scale: Scale, next_number: Callable[[], int]) -> EncodedFile:
    number = next_number()
    image, options = _draw_image(draw, number, ("RGB", "RGBA"), scale)
    return EncodedFile(".webp", _save(image, "webp", lossless=True, **options), (number,))


def _encode_plain(draw: random.Random, scale: Scale, next_number: Callable[[], int]) -> EncodedFile:
    suffix, format_name, modes = draw.choice(
        (
            (".bmp", "bmp", ("L", "RGB", "1", "P")),
            (".pgm", "ppm", ("L",)),
            (".ppm", "ppm", ("RGB",)),
            (".tga", "tga", ("L", "RGB")),
        )
    )
    number = next_number()
    image = _to_mode(draw_picture(number, *_draw_size(draw)), draw.choice(modes), scale)
    return EncodedFile(suffix, _save(image, format_name), (number,))


def _encode_jpeg_2000(draw: random.Random, scale: Scale, next_number: Callable[[], int]) -> EncodedFile:
    if not features.check_codec("jpg_2000"):
        return _encode_plain(draw, scale, next_number)
    number = next_number()
    image = _to_mode(draw_picture(number, *_draw_size(draw)), draw.choice(("L", "RGB")), scale)
    return EncodedFile(".jp2", _save(image, "jpeg2000"), (number,))


ENCODERS = (
    *(_encode_png, _encode_png, _encode_jpeg, _encode_jpeg, _encode_tiff, _encode_turned_tiff, _encode_animation),
    *(_encode_webp, _encode_plain, _encode_jpeg_2000),
)


def _draw_image(
    draw: random.Random, number: int, modes: Sequence[str], scale: Scale, always_turned: bool = False
) -> tuple[Image.Image, dict[str, Any]]:
    """Return an image with the options of its metadata: orientation, broken EXIF, good and broken colour profiles."""
    image = _to_mode(draw_picture(number, *_draw_size(draw)), draw.choice(modes), scale)
    options: dict[str, Any] = {}
    kind = "orientation" if always_turned else draw.choice(("none", "none", "orientation", "broken", "other"))
    if kind == "orientation":
        orientation = draw.choice(tuple(INVERSE_TRANSPOSITIONS))
        exif = Image.Exif()
        exif[ORIENTATION_TAG] = orientation
        image, options["exif"] = image.transpose(INVERSE_TRANSPOSITIONS[orientation]), exif
    elif kind == "broken":
        options["exif"] = b"Exif\0\0" + b"\xff" + draw.randbytes(draw.choice((0, 3, 40, 500)))
    elif kind == "other":
        exif = Image.Exif()
        exif[0x010F], exif[0x0132] = "a camera", "not a date"
        options["exif"] = exif
    if draw.random() < 0.3 and image.mode != "I;16":
        options["icc_profile"] = _draw_profile(draw)
    return image, options


def _draw_profile(draw: random.Random) -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return draw.choice((profile, profile[: len(profile) // 2], draw.randbytes(200), b""))


def _draw_size(draw: random.Random) -> tuple[int, int]:
    return draw.choice(SIDES_PX), draw.choice(SIDES_PX)


def _draw_numbers(draw: random.Random, next_number: Callable[[], int]) -> tuple[int, ...]:
    return tuple(next_number() for _ in range(draw.randint(1, MAX_PAGES)))


def _to_mode(pixels: NDArray[np.uint8], mode: str, scale: Scale) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray((pixels.astype(np.float64) * scale.white_16_bit / 255).round().astype(np.uint16))
    if mode == "F":
        return Image.fromarray((pixels / 255 * scale.white_float).astype(np.float32))
    image = Image.fromarray(pixels)
    return image.convert("RGB").convert("P") if mode == "P" else image.convert(mode)


def _save(image: Image.Image, format_name: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()

"""Convert the pixels of an opened image of any mode to 8-bit grey or RGB, scaled by the value range of its kind."""

from __future__ import annotations

import ctypes
import functools
import importlib
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaetui.data.value_range import FULL_8_BIT_RANGE, SampleKind, ValueRange

GREY_MODES = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
"""Pillow modes without colours."""
MIN_LIGHT_GREY = 128
"""Mean grey level from which an image counts as light: its transparent pixels become black, else white."""
ORIENTATION_METHODS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How images of each EXIF orientation become upright."""
ORIENTATION_TAG, BITS_TAG, PHOTOMETRIC_TAG, PLANES_TAG, FORMAT_TAG = 0x0112, 258, 262, 284, 339
"""EXIF and TIFF tags."""
SEPARATE_PLANES = 2
"""Value of the tag for colours that are stored one after the other."""
DEEP_COLOUR_MODES = frozenset(("RGB", "RGBA", "LA"))
"""Modes in which Pillow opens files of 16 bits per channel as well."""
BYTE_ORDERS = (
    {"I;16BS": "I;16S", "I;32BS": "I;32S", "F;32BF": "F;32F"}
    if sys.byteorder == "little"
    else {"I;16S": "I;16BS", "I;32S": "I;32BS", "F;32F": "F;32BF"}
)
"""How values that libtiff has decoded are stored, by how they are stored in the file: in the order of this machine."""
METADATA_KEYS = ("exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp")
"""Where Pillow keeps metadata that may contain an orientation."""


class UnusableImageError(Exception):
    """A file that cannot be used. The message completes a sentence that starts with the name of the file."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """The decoded values of a page, upright."""

    kind: SampleKind
    """How the values are stored."""
    image: Image.Image | None
    """The page, if Pillow represents its values with full precision in 8 bits per channel; else None."""
    values: NDArray[Any] | None
    """Other values, [H, W] or [H, W, C] with 2 (grey, alpha), 3 or 4 (RGB, alpha) channels; else None."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        if self.image is not None:
            return self.image.height, self.image.width
        assert self.values is not None
        return self.values.shape[0], self.values.shape[1]

    @property
    def has_colour_channels(self) -> bool:
        """Whether the page may show colours."""
        if self.image is not None:
            return self.image.mode not in GREY_MODES
        assert self.values is not None
        return self.values.ndim == 3 and self.values.shape[2] >= 3

    def list_opaque_values(self) -> NDArray[Any]:
        """Return the values, [n] or [n, 3], of all pixels that are not fully transparent."""
        if self.image is not None:
            image = self.image
            mode = "L" if image.mode in GREY_MODES else "RGB"
            if not has_alpha(image):
                return np.asarray(image.convert(mode)).reshape(-1)
            image = image.convert("RGBA")
            is_opaque = np.asarray(image.getchannel("A")) > 0
            return np.asarray(image.convert(mode))[is_opaque].reshape(-1)
        assert self.values is not None
        if self.values.ndim == 2 or self.values.shape[2] == 3:
            return self.values.reshape(-1)
        return self.values[self.values[..., -1] > 0][:, :-1].reshape(-1)

    def convert(self, mode: str, value_range: ValueRange) -> Image.Image:
        """Return the page as an image of mode L or RGB, with a background behind transparent pixels."""
        if self.image is not None:
            return _convert_8_bit(self.image, mode, value_range)
        assert self.values is not None
        if self.values.ndim == 2:
            return Image.fromarray(value_range.to_pixels(self.values)).convert(mode)
        has_alpha_channel = self.values.shape[2] in (2, 4)
        colours = self.values[..., :-1] if has_alpha_channel else self.values
        image = Image.fromarray(value_range.to_pixels(colours[..., 0] if colours.shape[2] == 1 else colours))
        if not has_alpha_channel:
            return image.convert(mode)
        image.putalpha(Image.fromarray((self.values[..., -1] >> 8).astype(np.uint8)))
        return _add_background(image, mode)


def read_samples(image: Image.Image, reopen: Callable[[], Image.Image]) -> Samples:
    """Decode the selected page of an opened file; `reopen` opens the file a second time with that page selected.

    Raises UnusableImageError for values that are not finite or that Pillow cannot read, and any exception of a decoder.
    """
    mode = image.mode
    if mode in DEEP_COLOUR_MODES and (deep_values := _read_deep_colours(image, reopen)) is not None:
        return Samples("16-bit", None, deep_values)
    if mode[0] not in "IF":
        if mode == "L" and image.format == "TIFF" and _get_tag(image, FORMAT_TAG) == 2:
            raise UnusableImageError("has signed 8-bit values; convert it to 16 bits first")
        return Samples("8-bit", load_upright(image), None)
    is_inverted = image.format == "TIFF" and _get_tag(image, PHOTOMETRIC_TAG) == 0
    if is_inverted and mode == "F":
        raise UnusableImageError("has float values of which the smallest is white; save it with the smallest as black")
    _correct_byte_order(image)
    values: NDArray[Any] = np.asarray(load_upright(image))
    if mode == "F":
        if not np.isfinite(values).all():
            raise UnusableImageError("contains NaN or infinite values")
        return Samples("float", None, values)
    if mode != "I":
        values = 65_535 - values if is_inverted else values
    elif image.format == "TIFF" and _get_tag(image, FORMAT_TAG) in (None, 1) and _get_tag(image, BITS_TAG) == 32:
        values = values.view(np.uint32)  # Pillow reads unsigned values as signed ones
    is_16_bit = mode != "I" or image.format in ("PNG", "PPM") or _get_tag(image, BITS_TAG) == 16
    alpha_value = image.info.get("transparency") if mode != "I" else None
    if isinstance(alpha_value, int):
        values = np.stack([values, np.where(values == alpha_value, 0, 65_535)], axis=-1).astype(np.uint16)
    return Samples("16-bit" if is_16_bit else "32-bit", None, values)


def load_upright(image: Image.Image) -> Image.Image:
    """Load the selected page and turn it by its EXIF orientation; damaged metadata is ignored."""
    if image.format == "TIFF":
        _silence_libtiff()
        # Pillow maps uncompressed files into memory with the size after the rotation, which mixes up their rows.
        image.filename = ""  # type: ignore[attr-defined]
    image.load()
    method = ORIENTATION_METHODS.get(read_orientation(image))
    return image if method is None else image.transpose(method)


def read_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation that is still to be applied to a loaded image, 1 to 8."""
    info = image.info
    if image.format == "TIFF" or not any(key in info for key in METADATA_KEYS):  # Pillow applies that of TIFF files
        return 1
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # parsers raise arbitrary exceptions for damaged metadata
        return 1


def has_alpha(image: Image.Image) -> bool:
    """Return whether an image may have transparent pixels."""
    return image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info


@functools.cache
def _silence_libtiff() -> None:
    """Keep libtiff from writing its messages about damaged files to the terminal, if it is loaded dynamically."""
    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(
            importlib.import_module("PIL._imaging").__file__
        )  # symbols of its dependencies, among them libtiff, are found as well
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            set_handler = getattr(library, name)
            set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
            set_handler(None)


def _convert_8_bit(image: Image.Image, mode: str, value_range: ValueRange) -> Image.Image:
    if has_alpha(image):
        image = image.convert("RGBA")
        if value_range != FULL_8_BIT_RANGE:
            table = _build_table(value_range)
            image = image.point([*table, *table, *table, *range(256)])
        return _add_background(image, mode)
    image = image if image.mode == mode else image.convert(mode)
    if value_range != FULL_8_BIT_RANGE:
        image = image.point(_build_table(value_range) * len(image.mode))
    return image


def _add_background(image: Image.Image, mode: str) -> Image.Image:
    """Put black behind the transparent pixels of a light image, and white behind those of a dark one."""
    rgba_image = image.convert("RGBA")
    grey, alpha = (np.asarray(channel, np.float64) for channel in rgba_image.convert("LA").split())
    is_light = float((grey * alpha).sum()) >= MIN_LIGHT_GREY * max(float(alpha.sum()), 1e-12)
    background = Image.new("RGBA", rgba_image.size, "black" if is_light else "white")
    return Image.alpha_composite(background, rgba_image).convert(mode)


def _build_table(value_range: ValueRange) -> list[int]:
    return [int(pixel) for pixel in value_range.to_pixels(np.arange(256))]


def _get_tag(image: Image.Image, tag: int) -> Any:
    """Return the value of a TIFF tag, the first one if it has several; None without that tag."""
    value = getattr(image, "tag_v2", {}).get(tag)
    return value[0] if isinstance(value, tuple) and value else value


def _get_raw_mode(image: Image.Image) -> str:
    """Return how the pixels are stored, such as "RGB;16B"."""
    tiles = getattr(image, "tile", None)
    arguments = tiles[0][3] if tiles else ""
    raw_mode = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return raw_mode if isinstance(raw_mode, str) else ""


def _read_deep_colours(image: Image.Image, reopen: Callable[[], Image.Image]) -> NDArray[Any] | None:
    """Return 16-bit channels, [H, W, C]; None for a file of 8 bits.

    Pillow keeps only the upper bytes: the lower ones are read by a second decoding in the other byte order.
    """
    if _get_tag(image, BITS_TAG) == 16 and _get_tag(image, PLANES_TAG) == SEPARATE_PLANES:
        raise UnusableImageError("has 16-bit colours in separate planes; save them interleaved, or with 8 bits")
    raw_mode = _get_raw_mode(image)
    if image.format == "PPM":
        return _read_deep_ppm(image)
    if ";16" not in raw_mode:
        return None
    if raw_mode.startswith("RGBa"):
        raise UnusableImageError("has 16-bit colours multiplied by transparency; save it with 8 bits")
    if raw_mode == "LA;16B":
        _set_raw_mode(image, "RGBA", "RGBA")
        halves = np.asarray(load_upright(image)).astype(np.uint16)
        return (halves[..., 0::2] << 8) | halves[..., 1::2]
    other = reopen()
    name, _, order = raw_mode.partition(";16")
    swapped_order = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}[order]
    _set_raw_mode(other, other.mode, f"{name};16{swapped_order}")
    low_bytes = np.asarray(load_upright(other))
    values: NDArray[Any] = np.asarray(load_upright(image)).astype(np.uint16)
    values <<= 8  # in place, as a large image takes hundreds of megabytes
    values |= low_bytes
    return values


def _read_deep_ppm(image: Any) -> NDArray[Any] | None:
    decoder, _, offset, arguments = image.tile[0]
    if decoder != "ppm" or arguments[-1] <= 255:
        return None
    count = image.width * image.height * 3
    values = np.fromfile(image.filename, ">u2", count, offset=offset)
    if len(values) < count:
        raise UnusableImageError("cannot be decoded (image file is truncated)")
    # Pillow scales grey values in the same way.
    scaled: NDArray[Any] = (values.clip(0, arguments[-1]) * (65_535 / arguments[-1])).round().astype(np.uint16)
    return scaled.reshape(image.height, image.width, 3)


def _correct_byte_order(image: Any) -> None:
    raw_mode = _get_raw_mode(image)
    if raw_mode in BYTE_ORDERS and image.tile[0][0] == "libtiff":
        _set_raw_mode(image, image.mode, BYTE_ORDERS[raw_mode])


def _set_raw_mode(image: Image.Image, mode: str, raw_mode: str) -> None:
    pillow_image: Any = image
    pillow_image._mode = mode
    for index, tile in enumerate(pillow_image.tile):
        arguments = (raw_mode, *tile[3][1:]) if isinstance(tile[3], tuple) else raw_mode
        pillow_image.tile[index] = (
            tile._replace(args=arguments) if hasattr(tile, "_replace") else (*tile[:3], arguments)
        )

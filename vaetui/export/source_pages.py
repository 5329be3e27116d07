"""Image files of several pages: find the file of a page, and write the page as a separate file."""

from __future__ import annotations

import functools
import os
import warnings
from contextlib import suppress
from pathlib import Path

from PIL import Image, ImageOps

from vaetui.storage.file_names import PAGE_PATH

PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I;16B")
"""Pillow modes that PNG can hold without loss."""
TIFF_MODES = ("I", "F", "PA", "CMYK", "YCbCr", "LAB", "RGBX")
"""Further modes, which TIFF can hold. Pages of any other mode are converted to RGBA."""
MAX_SUFFIX_CHARS = 12
DEFAULT_SUFFIX = ".png"


class UnreadablePageError(Exception):
    """A page that no longer exists or cannot be decoded."""


class PageReader:
    """Write single pages; consecutive pages of one file are read without going through all earlier ones again."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._path: Path | None = None
        self._image: Image.Image | None = None

    def write(self, file: Path, page: int, output: Path) -> Path:
        """Write a page, upright and in its full size, as PNG or, if PNG cannot hold its values, as TIFF.

        Return the path, whose suffix is that of the format. Raises UnreadablePageError if the page cannot be read, and
        OSError if the output cannot be written.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about unusual tags
            try:
                image = self._read(file, page)
            except (MemoryError, Exception) as error:  # decoders raise arbitrary exceptions for damaged files
                self.close()
                raise UnreadablePageError(str(error)) from error
            output = output.with_name(output.name.removesuffix(output.suffix) + choose_page_suffix(image.mode))
            while os.path.lexists(output):  # saving would follow a link to one of the user's files
                output = output.with_stem(f"{output.stem}_")
            try:
                image.save(output, "TIFF" if output.suffix == ".tif" else "PNG")
            except (ValueError, SyntaxError, KeyError, TypeError, RuntimeError):  # unusual metadata of the page
                image.info.clear()
                image.save(output, "TIFF" if output.suffix == ".tif" else "PNG")
        return output

    def close(self) -> None:
        """Close the file that is open."""
        if self._image is not None:
            with suppress(Exception):
                self._image.close()
        self._path = self._image = None

    def _read(self, file: Path, page: int) -> Image.Image:
        if self._path != file or self._image is None:
            self.close()
            self._path, self._image = file, Image.open(file)
        self._image.seek(page)
        if self._image.format == "TIFF":
            # Pillow maps uncompressed files into memory with the size after the rotation, which mixes up their rows.
            self._image.filename = ""  # type: ignore[attr-defined]
        self._image.load()
        image = self._image.copy()
        if self._image.format != "TIFF":  # Pillow has turned those
            with suppress(Exception):  # damaged metadata
                image = ImageOps.exif_transpose(image)
        image.info.pop("exif", None)  # its orientation has been applied
        if image.mode in PNG_MODES + TIFF_MODES:
            return image
        return image.convert({"La": "LA", "I;16L": "I;16", "I;16N": "I;16"}.get(image.mode, "RGBA"))


def choose_page_suffix(mode: str) -> str:
    """Return the suffix of the format that holds pages of a Pillow mode."""
    return ".tif" if mode in TIFF_MODES else ".png"


def split_page_path(path: Path) -> tuple[Path, int | None]:
    """Return the file of an image, and the page if the path names one, such as "stack.tif#3"."""
    match = PAGE_PATH.fullmatch(path.name) if "#" in path.name else None
    if match is None or os.path.lexists(path):
        return path, None
    return path.with_name(match[1]), int(match[2])


def find_suffix(path: str, root: Path | None) -> str:
    """Return the suffix of a file if other programs take it for an image, else that of its content.

    The second is to be appended to the name. `root` is the directory that the path is relative to.
    """
    suffix = os.path.splitext(path)[1]
    if suffix.lower() in _list_known_suffixes():
        return suffix
    if root is not None:
        with suppress(Exception), warnings.catch_warnings():  # missing, or damaged meanwhile
            warnings.simplefilter("ignore")
            with Image.open(root / path) as image:
                return _find_format_suffix(str(image.format)) or DEFAULT_SUFFIX
    is_plain = suffix.isascii() and suffix[1:].isalnum() and len(suffix) <= MAX_SUFFIX_CHARS
    return suffix if is_plain else DEFAULT_SUFFIX


@functools.cache
def _list_known_suffixes() -> frozenset[str]:
    return frozenset(Image.registered_extensions())


def _find_format_suffix(format_name: str) -> str | None:
    usual_suffixes = {"JPEG": ".jpg", "TIFF": ".tif", "PNG": ".png"}
    registered = (suffix for suffix, name in Image.registered_extensions().items() if name == format_name)
    return usual_suffixes.get(format_name) or next(registered, None)

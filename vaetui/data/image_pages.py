"""Go through the pages of an opened image file: the pages of a TIFF file, and the frames of an animation."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from vaetui.errors import make_printable

SINGLE_IMAGE_FORMATS = frozenset(("MPO", "PSD", "ICO", "ICNS", "CUR", "HEIF"))
"""Formats whose further pages are layers, previews or other sizes of the first one."""
MAX_PAGES = 10_000
"""Most pages of a file that are read."""
MAX_FILE_PIXELS, MAX_PIXELS_PER_BYTE = 1_000_000_000, 50
"""Most pixels of all pages of a small file, and of a large one per byte: a few bytes may describe thousands of huge
frames."""
SUBFILE_TAG, OLD_SUBFILE_TAG, SUBDIRECTORIES_TAG, DNG_VERSION_TAG = 254, 255, 330, 50_706
"""TIFF tags: the kind of a page, its older form, directories below it, and the version of a camera raw file."""
REDUCED_BIT, MASK_BIT, OLD_REDUCED_VALUE = 1, 4, 2


def has_pages(image: Image.Image) -> bool:
    """Return whether a file contains several images."""
    if image.format in SINGLE_IMAGE_FORMATS:
        return False
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # for GIF, this reads the header of the second frame
        return True


def list_further_images(image: Image.Image) -> tuple[tuple[int, str], ...]:
    """Return the numbers of the images of a phone's file beside the main one, and why they are not taken."""
    if image.format not in ("MPO", "HEIF"):
        return ()
    count = min(getattr(image, "n_frames", 1), MAX_PAGES)
    return tuple((page, "is a preview or another view of the same picture") for page in range(1, count))


def depend_on_each_other(image: Image.Image) -> bool:
    """Return whether a page cannot be decoded without those before it."""
    return image.format not in ("TIFF", "DCX", "SPIDER", "IM")


def iter_pages(image: Image.Image, file_bytes: int) -> Iterator[tuple[int, str | None]]:
    """Select the pages of an opened file one after the other; yield the number, and why the page cannot be used."""
    max_pixels = max(MAX_FILE_PIXELS, MAX_PIXELS_PER_BYTE * file_bytes)
    is_flagged = image.format == "TIFF" and not _is_reduced(image)
    pixel_count = 0
    for page in range(MAX_PAGES):
        try:
            if page:
                image.seek(page)
        except EOFError:
            return
        except Exception as error:  # decoders raise arbitrary exceptions for hostile files
            yield page, f"cannot be found ({describe_error(error)}); any later pages are lost"
            return
        pixel_count += image.size[0] * image.size[1]
        if pixel_count > max_pixels:
            yield page, f"and later pages are not read: the pages have more than {max_pixels:,} pixels"
            return
        yield page, _explain_subfile(image) if page and is_flagged else None
    try:
        image.seek(MAX_PAGES)
    except Exception:
        return
    yield MAX_PAGES, f"and later pages are not read: at most {MAX_PAGES:,} pages are supported"


def list_later_pages(image: Image.Image) -> range:
    """Return the numbers of the pages after the selected one, at most MAX_PAGES."""
    try:
        return range(image.tell() + 1, min(image.n_frames, MAX_PAGES))  # type: ignore[attr-defined]
    except Exception:  # counting may read the whole file
        return range(0)


def is_camera_raw(image: Image.Image) -> bool:
    """Return whether a TIFF file contains the data of a camera's sensor, and a small preview as its first page."""
    tags = getattr(image, "tag_v2", {})
    return DNG_VERSION_TAG in tags or (SUBDIRECTORIES_TAG in tags and _is_reduced(image))


def describe_error(error: BaseException) -> str:
    """Return a short text for an exception of a decoder."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return make_printable(text[:100]) or type(error).__name__


def _is_reduced(image: Image.Image) -> bool:
    tags = image.tag_v2  # type: ignore[attr-defined]
    is_flagged = bool(_get_integer(tags.get(SUBFILE_TAG)) & REDUCED_BIT)
    return is_flagged or tags.get(OLD_SUBFILE_TAG) == OLD_REDUCED_VALUE


def _explain_subfile(image: Image.Image) -> str | None:
    if _is_reduced(image):
        return "is a reduced copy of another page"
    is_mask = _get_integer(image.tag_v2.get(SUBFILE_TAG)) & MASK_BIT  # type: ignore[attr-defined]
    return "is a mask of another page" if is_mask else None


def _get_integer(value: object) -> int:
    return value if isinstance(value, int) else 0

"""Decode image files into pixels; any damaged or hostile file raises UnusableImageError with a reason."""

from __future__ import annotations

import io
import logging
import os
import stat
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from vaetui.data import image_formats, image_pages, png_checksums
from vaetui.data.image_pages import describe_error
from vaetui.data.image_samples import MIN_LIGHT_GREY, Samples, UnusableImageError, read_orientation, read_samples
from vaetui.data.value_range import (
    FULL_8_BIT_RANGE,
    SAMPLE_KINDS,
    RangeEstimator,
    SampleKind,
    ValueRange,
    ValueRanges,
)
from vaetui.storage.file_names import PAGE_PATH

StrPath: TypeAlias = "str | os.PathLike[str]"
"""The path of a file. Strings are much faster to create than Path objects, which matters for a million files."""
MIN_SIDE_PX, MAX_PIXELS = 4, 100_000_000
"""Smallest usable side, and the most pixels that are decoded: more than any camera takes."""
MAX_DRAFT_SCALE = 2
"""A JPEG is decoded at a reduced size, at least this many times the target size, if its format allows that."""
DRAFT_DIVISORS = (8, 4, 2, 1)
"""The divisors by which Pillow can reduce a JPEG while it decodes it."""
COLOUR_PROBE_SIDE_PX, MIN_CHANNEL_RANGE = 32, 6.0
"""Side at which colours are measured, and the mean range of red, green and blue (of 255) above which an image counts as
coloured: scanners and JPEG give grey images a smaller range."""
SURVEY_DRAFT_SIDE_PX = 256
"""Side of the reduced size at which a JPEG is surveyed."""
MAX_SURVEY_VALUES = 1 << 16
"""Most values of a survey."""
NO_RANGES: ValueRanges = {}
Draft: TypeAlias = "tuple[str, int]"
"""Mode and least side of the size at which a JPEG is decoded."""
PageConsumer: TypeAlias = "Callable[[Sequence[Samples], tuple[int, int]], None]"
"""Receives the samples of a page for each draft, and its original height and width."""
KIND_SETS: dict[SampleKind, frozenset[SampleKind]] = {kind: frozenset((kind,)) for kind in SAMPLE_KINDS}
logging.getLogger("PIL").addHandler(logging.NullHandler())  # else its messages on damaged files go to the terminal


class ImageTransform(Protocol):
    """Turns a decoded page into the pixels that are needed; it is sent to other processes."""

    @property
    def mode(self) -> Literal["L", "RGB"]:
        """Whether the page is needed in grey or in colour."""

    @property
    def draft_side_px(self) -> int:
        """Side that a page needs before the transform; a JPEG may be decoded at a reduced size down to it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result, (H, W) or (H, W, 3)."""

    def apply(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the pixels of a page in the mode."""


@dataclass(frozen=True, slots=True)
class ResizeTransform:
    """Resize to the size of a set, which may change the proportions."""

    shape: tuple[int, ...]
    """The shape of the result, (H, W) or (H, W, 3)."""

    @property
    def mode(self) -> Literal["L", "RGB"]:
        """Grey or colour, by the shape."""
        return "RGB" if len(self.shape) == 3 else "L"

    @property
    def draft_side_px(self) -> int:
        """The side that a page needs."""
        return MAX_DRAFT_SCALE * max(self.shape[:2])

    def apply(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the resized pixels."""
        return resize_image(image, (self.shape[0], self.shape[1]))


@dataclass(frozen=True, slots=True, eq=False)
class DecodedFile:
    """The images of a file."""

    pixel_sets: tuple[NDArray[np.uint8], ...]
    """For each transform, one image per page, [n, H, W] or [n, H, W, 3]."""
    pages: tuple[int, ...] | None
    """The decoded pages from 0; None for a file with one image, and if the path names a page."""
    skipped_pages: tuple[tuple[int, str], ...]
    """Pages that cannot be used, and the reasons."""
    size: tuple[int, int]
    """Original height and width of the first page, upright."""
    kinds: frozenset[SampleKind]
    """How the values of the images are stored."""

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The images by the first transform."""
        return self.pixel_sets[0]


@dataclass(frozen=True, slots=True, eq=False)
class ImageSurvey:
    """Properties of a file that decide how a set of images is decoded."""

    size: tuple[int, int]
    """Original height and width of the first page, upright."""
    is_coloured: bool
    """Whether the first page shows colours."""
    kind: SampleKind
    """How its values are stored."""
    values: NDArray[Any]
    """Values of its pixels, without transparent ones, and the smallest and largest value of all pages,
    [n <= MAX_SURVEY_VALUES]."""


class _LastStack(threading.local):
    """The TIFF file of several pages from which a page was read last in this thread.

    Only the first page of a file can be found directly: without this, reading N pages by their numbers would take
    N * N / 2 steps.
    """

    def __init__(self) -> None:
        self._identity: tuple[object, ...] | None = None
        self._image: Image.Image | None = None

    def exchange(self, opened: _OpenedFile) -> Image.Image:
        """Return the image that is kept for an opened file, or keep its own one."""
        if opened.identity != self._identity or self._image is None or self._image.tell() == opened.page:
            self.close()
            self._identity, self._image = opened.identity, opened.image
        elif self._image is not opened.image:
            opened.image.close()
        return self._image

    def close(self) -> None:
        """Forget the file."""
        if self._image is not None:
            self._image.close()
        self._identity = self._image = None


@dataclass(frozen=True, slots=True, eq=False)
class _OpenedFile:
    """A file that Pillow has opened."""

    image: Image.Image
    """The image, of which only the header has been read."""
    path: StrPath
    """The path of the file, without the number of a page."""
    page: int | None
    """The page that the path names; None means all."""
    length: int
    """The length of the file in bytes."""
    identity: tuple[object, ...]
    """The path, and what changes with the content of the file."""
    second_images: list[Image.Image] = field(default_factory=list)
    """The file opened again, if 16-bit colours or a second draft need it; kept, as finding a page takes long."""


_last_stack = _LastStack()


def decode_image(path: StrPath, shape: tuple[int, ...], value_ranges: ValueRanges = NO_RANGES) -> DecodedFile:
    """Return the images of a file, resized to `shape` (H, W) or (H, W, 3); see `decode_transformed`."""
    return decode_transformed(path, (ResizeTransform(shape),), value_ranges)


def decode_transformed(
    path: StrPath, transforms: Sequence[ImageTransform], value_ranges: ValueRanges = NO_RANGES
) -> DecodedFile:
    """Return the images of a file, turned by their EXIF orientation, once for each transform.

    A path that ends in "#3" names one page. Values of a kind without a range are scaled from 0-255 if they have 8 bits,
    else by the range of the values of this file. Raises UnusableImageError if the file is not an image, damaged, too
    small or too large. Pillow's warnings, about bombs, which are refused here, and about unusual tags, should be
    suppressed by the caller: doing so for each file would take longer.
    """
    images: list[tuple[NDArray[np.uint8], ...]] = []
    sizes: list[tuple[int, int]] = []
    kinds: set[SampleKind] = set()

    def add(samples_by_draft: Sequence[Samples], original_size: tuple[int, int]) -> None:
        kind = samples_by_draft[0].kind
        value_range = value_ranges.get(kind) or _find_own_range(path, kind)
        images.append(
            tuple(
                transform.apply(samples.convert(transform.mode, value_range))
                for transform, samples in zip(transforms, samples_by_draft, strict=True)
            )
        )
        sizes.append(original_size)
        kinds.add(kind)

    drafts = [(transform.mode, transform.draft_side_px) for transform in transforms]
    pages, skipped_pages = _read_pages(path, drafts, add)
    pixel_sets = tuple(
        pixels[0][None] if len(pixels) == 1 else np.stack(pixels) for pixels in zip(*images, strict=True)
    )
    # Equal sets are one object, so that the results of many files are sent to another process as one.
    shared_kinds = KIND_SETS[kinds.pop()] if len(kinds) == 1 else frozenset(kinds)
    return DecodedFile(pixel_sets, pages, skipped_pages, sizes[0], shared_kinds)


def survey_image(path: StrPath) -> ImageSurvey:
    """Return size, kind, colour and values of a file; raises UnusableImageError for an unusable file.

    Pillow's warnings should be suppressed by the caller, as for `decode_image`.
    """
    surveys: list[ImageSurvey] = []
    extremes: list[Any] = []

    def add(samples_by_draft: Sequence[Samples], original_size: tuple[int, int]) -> None:
        (samples,) = samples_by_draft
        values = samples.list_opaque_values()
        if surveys and samples.kind != surveys[0].kind:
            return
        if values.size:
            extremes[:] = [min([*extremes, values.min()]), max([*extremes, values.max()])]
        if not surveys:
            stride = -(-values.size // (MAX_SURVEY_VALUES - 2)) | 1  # odd, so as not to meet the same columns
            is_coloured_page = _shows_colours(samples, path, values)
            surveys.append(ImageSurvey(original_size, is_coloured_page, samples.kind, values[::stride].copy()))

    _read_pages(path, [("RGB", SURVEY_DRAFT_SIDE_PX)], add)
    values = surveys[0].values
    return replace(surveys[0], values=np.concatenate([values, np.array(extremes, dtype=values.dtype)]))


def is_coloured(pixels: NDArray[np.uint8]) -> bool:
    """Return whether images [N, H, W, 3] show visible colours."""
    return float(np.ptp(pixels, axis=3).mean()) > MIN_CHANNEL_RANGE


def resize_image(image: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the pixels of a grey or RGB image resized to `size` (height, width)."""
    height, width = size
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(image, np.uint8)


def _read_pages(
    path: StrPath, drafts: Sequence[Draft], use_page: PageConsumer
) -> tuple[tuple[int, ...] | None, tuple[tuple[int, str], ...]]:
    """Call a function with the samples, for each draft, and the original size of each page that can be used.

    Returns the numbers of these pages, None for a file with one image or a path that names a page, and the other pages
    with reasons.
    """
    opened = _open_file(path)
    try:
        if opened.page is not None and opened.image.format == "TIFF" and image_pages.has_pages(opened.image):
            _read_stack_page(opened, drafts, use_page)
            return None, ()
        with opened.image as image:
            if opened.page is None and image_pages.has_pages(image):
                return _read_all_pages(opened, drafts, use_page)
            if opened.page:
                _seek(image, opened.page)
            use_page(*_read_page(opened, opened.page or 0, drafts))
            return None, () if opened.page is not None else image_pages.list_further_images(image)
    except Exception as error:  # decoders raise arbitrary exceptions for hostile files
        raise _explain_error(error) from error
    finally:
        for image in opened.second_images:
            image.close()


def _read_stack_page(opened: _OpenedFile, drafts: Sequence[Draft], use_page: PageConsumer) -> None:
    page = opened.page or 0
    opened = replace(opened, image=_last_stack.exchange(opened))
    try:
        _seek(opened.image, page)
        use_page(*_read_page(opened, page, drafts))
    except BaseException:
        _last_stack.close()
        raise


def _read_all_pages(
    opened: _OpenedFile, drafts: Sequence[Draft], use_page: PageConsumer
) -> tuple[tuple[int, ...], tuple[tuple[int, str], ...]]:
    pages: list[int] = []
    skipped: list[tuple[int, str]] = []
    for page, reason in image_pages.iter_pages(opened.image, opened.length):
        if reason is not None:
            skipped.append((page, reason))
            continue
        try:
            use_page(*_read_page(opened, page, drafts))
            pages.append(page)
        except Exception as error:
            skipped.append((page, str(_explain_error(error))))
            if not isinstance(error, UnusableImageError) and image_pages.depend_on_each_other(opened.image):
                skipped += [(later, "follows a damaged page") for later in image_pages.list_later_pages(opened.image)]
                break
    if not pages:
        page, reason = skipped[0]
        raise UnusableImageError(reason if page == 0 else f"has no usable page; page {page} {reason}")
    return tuple(pages), tuple(skipped)


def _read_page(opened: _OpenedFile, page: int, drafts: Sequence[Draft]) -> tuple[list[Samples], tuple[int, int]]:
    """Decode the selected page, and return its samples for each draft and its original height and width, upright."""
    image = opened.image
    width, height = image.size
    if min(width, height) < MIN_SIDE_PX:
        raise UnusableImageError(f"has {width}x{height} pixels; at least {MIN_SIDE_PX}x{MIN_SIDE_PX} are needed")
    if width * height > MAX_PIXELS:
        raise UnusableImageError(f"has {width}x{height} pixels; at most {MAX_PIXELS:,} are supported")
    if image.format not in ("JPEG", "MPO"):
        samples = read_samples(image, lambda: _reopen(opened, page))
        return [samples] * len(drafts), samples.size
    source_mode = image.mode
    samples_by_result: dict[tuple[bool, int], Samples] = {}  # most drafts lead to the same decoding
    samples_by_draft = []
    for mode, side in drafts:
        divisor = next(d for d in DRAFT_DIVISORS if min(width, height) // side >= d or d == 1)
        result = (source_mode == "RGB" and mode == "L", divisor)
        if result not in samples_by_result:
            draft_image = image if not samples_by_result else _open_again(opened, page)
            draft_image.draft(mode, (side, side))
            samples_by_result[result] = read_samples(draft_image, lambda: _reopen(opened, page))
        samples_by_draft.append(samples_by_result[result])
    return samples_by_draft, (width, height) if read_orientation(image) >= 5 else (height, width)


def _open_file(path: StrPath) -> _OpenedFile:
    page = None
    try:
        try:
            status = os.stat(path)  # opening a pipe would block
        except FileNotFoundError:
            match = PAGE_PATH.fullmatch(os.fspath(path))
            if match is None or os.path.islink(path):
                raise
            path, page = match[1], int(match[2])
            status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise UnusableImageError("is not a regular file")
        if not status.st_size:
            raise UnusableImageError("is empty")
        suffix = image_formats.get_suffix(path)
        if suffix in image_formats.REASONS_BY_SUFFIX:
            raise UnusableImageError(image_formats.REASONS_BY_SUFFIX[suffix])
        image = _identify(path, suffix)
        if image.format == "TIFF" and image_pages.is_camera_raw(image):
            image.close()
            raise UnusableImageError(image_formats.REASONS_BY_SUFFIX[".raw"])
    except UnusableImageError:
        raise
    except FileNotFoundError as error:
        raise UnusableImageError("is a broken link" if os.path.islink(path) else "does not exist") from error
    except Image.DecompressionBombError as error:
        raise UnusableImageError(f"has more than {MAX_PIXELS:,} pixels") from error
    except Exception as error:  # header parsers too raise arbitrary exceptions for hostile files
        raise UnusableImageError(f"cannot be read ({describe_error(error)})") from error
    return _OpenedFile(image, path, page, status.st_size, (path, status.st_ino, status.st_size, status.st_mtime_ns))


def _identify(path: StrPath, suffix: str) -> Image.Image:
    """Open a file with the Pillow formats that its ending and its content allow."""
    try:
        if suffix == ".png":
            return Image.open(_read_png(path), formats=image_formats.list_formats(suffix))
        image = Image.open(path, formats=image_formats.list_formats(suffix))
        if image.format == "PNG":
            image.close()
            image = Image.open(_read_png(path), formats=("PNG",))
        return image
    except UnidentifiedImageError as error:
        prefix = image_formats.read_prefix(path)
        name = image_formats.identify_content(prefix)
        if name in image_formats.PLUGINS and image_formats.load_plugin(name):
            return Image.open(path, formats=(name,))
        raise UnusableImageError(image_formats.explain_content(prefix)) from error


def _read_png(path: StrPath) -> io.BytesIO:
    """Return the content of a PNG file with intact checksums; reading it at once is also faster than in parts."""
    with open(path, "rb", buffering=0) as file:
        content = file.readall()
    try:
        return io.BytesIO(png_checksums.remove_damaged_metadata(content))
    except png_checksums.DamagedPngError as error:
        raise UnusableImageError(f"cannot be decoded ({error})") from error


def _reopen(opened: _OpenedFile, page: int) -> Image.Image:
    if not opened.second_images:
        return _open_again(opened, page)
    (image,) = opened.second_images
    if page:
        image.seek(page)
    return image


def _open_again(opened: _OpenedFile, page: int) -> Image.Image:
    image = Image.open(opened.path, formats=(str(opened.image.format),))
    opened.second_images.append(image)
    if page:
        image.seek(page)
    return image


def _seek(image: Image.Image, page: int) -> None:
    try:
        image.seek(page)
    except EOFError as error:
        raise UnusableImageError(f"has no page {page}") from error


def _find_own_range(path: StrPath, kind: SampleKind) -> ValueRange:
    """Return the range of the values of a kind in a file."""
    if kind == "8-bit":
        return FULL_8_BIT_RANGE
    estimator = RangeEstimator(kind)

    def add(samples_by_draft: Sequence[Samples], _: tuple[int, int]) -> None:
        (samples,) = samples_by_draft
        if samples.kind == kind:
            estimator.add(samples.list_opaque_values())

    _read_pages(path, [("L", MAX_PIXELS)], add)
    return estimator.estimate()


def _shows_colours(samples: Samples, path: StrPath, values: NDArray[Any]) -> bool:
    if not samples.has_colour_channels:
        return False
    is_lossless = image_formats.get_suffix(path) in (".png", ".tif", ".tiff", ".bmp", ".gif")
    value_range = FULL_8_BIT_RANGE
    if samples.kind != "8-bit" or (is_lossless and values.size and values.max() < MIN_LIGHT_GREY):
        estimator = RangeEstimator(samples.kind)
        estimator.add(values)
        value_range = estimator.estimate()
    probe_size = (COLOUR_PROBE_SIDE_PX, COLOUR_PROBE_SIDE_PX)
    return is_coloured(resize_image(samples.convert("RGB", value_range), probe_size)[None])


def _explain_error(error: Exception) -> UnusableImageError:
    if isinstance(error, UnusableImageError):
        return error
    if isinstance(error, MemoryError):
        return UnusableImageError("needs more memory than is available")
    return UnusableImageError(f"cannot be decoded ({describe_error(error)})")

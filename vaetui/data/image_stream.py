"""Read images from files, folders or arrays in batches, without writing a dataset."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.data.array_conversion import ConvertedChunk, iter_converted_chunks, iter_transformed_chunks, survey_array
from vaetui.data.array_files import ArrayFile, DatasetArrays
from vaetui.data.array_layout import arrange_axes
from vaetui.data.array_roles import is_array_path
from vaetui.data.image_files import ImageTransform, ResizeTransform
from vaetui.data.image_folder import FileList, is_unrelated
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import find_source_images, is_list_path
from vaetui.data.parallel_decoding import decode_transformed_files
from vaetui.data.value_range import (
    SAMPLE_KINDS,
    RangeEstimator,
    SampleKind,
    ValueRange,
    ValueRanges,
    get_sample_kind,
    read_value_ranges,
    use_range_for_all_kinds,
)
from vaetui.engine.clusters import Pixels
from vaetui.errors import UserError

MAX_BATCH_IMAGES = 4_096
"""Default maximum number of single image files that are decoded together."""
FULL_RANGES: dict[SampleKind, ValueRange] = {
    "8-bit": ValueRange(0, 255),
    "16-bit": ValueRange(0, 65_535),
    "32-bit": ValueRange(0, 65_535),
    "float": ValueRange(0, 1),
}
"""Ranges of image files of kinds that the session has no range for."""
DEFAULT_OPTIONS = ImportOptions()
NO_RANGES: Mapping[str, tuple[float, float]] = {}
MAX_RANGE_RATIO = 16.0
"""An array of another kind is scaled by a range of the session if its own white is at most this many times smaller."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageBatch:
    """Consecutive images of a stream."""

    names: tuple[str, ...]
    """The path of each image; pages and images of arrays are followed by # and their index, [n]."""
    inputs: NDArray[Any]
    """What networks take in of each: pixels, [n, H, W] or [n, H, W, 3], or vectors, [n, D]."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Names of files, pages and images that could not be used, and the reasons."""
    new_ranges: Mapping[SampleKind, ValueRange] = field(default_factory=dict)
    """Ranges by which images were scaled because the session has none for their kind."""


def stream_image_batches(
    paths: Iterable[str],
    shape: tuple[int, ...],
    batch_size: int = MAX_BATCH_IMAGES,
    value_ranges: Mapping[str, tuple[float, float]] = NO_RANGES,
    options: ImportOptions = DEFAULT_OPTIONS,
    transform: ImageTransform | None = None,
) -> Iterator[ImageBatch]:
    """Read image files, directories, CSV files and arrays, resized to `shape` (H, W) or (H, W, 3), in their order.

    `value_ranges` holds the values of black and white of a session by kind, as its import report does, and `options`
    are those of its import: its array or column and its order of axes are used where a path has them. A range chosen
    there is used for all kinds. `paths` is consumed lazily: at most `batch_size` consecutive image files are collected
    before they are decoded. A path that does not exist or cannot be read is skipped, with its reason. `transform`
    replaces the resizing; it is applied to images of their original size.
    """
    stream = _ImageStream(shape, value_ranges, options, transform)
    for is_single_image, group in itertools.groupby(paths, _is_single_image):
        for batch in _iter_path_batches(group, batch_size if is_single_image else 1):
            yield from stream.decode_files(batch) if is_single_image else stream.read_source(batch[0])


def convert_image_array(
    array: NDArray[Any],
    shape: tuple[int, ...],
    value_ranges: Mapping[str, tuple[float, float]] = NO_RANGES,
    options: ImportOptions = DEFAULT_OPTIONS,
    transform: ImageTransform | None = None,
) -> Pixels:
    """Return the images of an array [N, H, W] or [N, H, W, C] as `stream_image_batches` does those of an array file.

    Raises UserError for an array that does not contain images, and for images with NaN or infinite values.
    """
    content = np.ascontiguousarray(array)
    array_file = ArrayFile("The array", content.shape, content.dtype, lambda: io.BytesIO(content.tobytes()))
    try:
        arranged = arrange_axes(array_file, None, expected_size=(shape[0], shape[1]))
    except UserError as error:
        raise UserError(
            f"The array has the shape {content.shape} and the type {content.dtype}. Pass numbers of shape (N, height, "
            "width) or (N, height, width, channels)."
        ) from error
    stream = _ImageStream(shape, value_ranges, options, transform)
    batches = list(stream.convert_array(arranged, "image "))
    for name, reason in itertools.chain.from_iterable(batch.skipped for batch in batches):
        raise UserError(f"{name.replace('#', '').capitalize()} of the array {reason}. Leave it out or replace them.")
    return np.concatenate([stream.empty_pixels, *(batch.inputs for batch in batches)])


class _ImageStream:
    def __init__(
        self,
        shape: tuple[int, ...],
        value_ranges: Mapping[str, tuple[float, float]],
        options: ImportOptions,
        transform: ImageTransform | None,
    ) -> None:
        self._shape = shape
        self._transform = transform
        self._file_transform: ImageTransform = transform or ResizeTransform(shape)
        self.empty_pixels: Pixels = np.empty((0, *self._file_transform.shape), np.uint8)
        self._options = ImportOptions(image_key=options.image_key, axes=options.axes)
        self._session_ranges = read_value_ranges(value_ranges)
        if options.value_range is not None:
            self._session_ranges = use_range_for_all_kinds(options.value_range)
        self._file_ranges: ValueRanges = {**FULL_RANGES, **self._session_ranges}

    def read_source(self, path: str) -> Iterator[ImageBatch]:
        """Read a directory, a CSV file or an array; one that cannot be read is skipped."""
        try:
            if "\0" in path:
                raise UserError("The path contains a zero byte. Write one path per line.")
            source = self._find_source(Path(path).absolute())
            if not isinstance(source, FileList):
                yield from self.convert_array(source.train_images, path)
                return
        except (UserError, OSError, ValueError) as error:
            yield self._build_skip_batch(((path, f"cannot be read: {error}"),))
            return
        yield from self.decode_files(source.list_paths())
        skipped = source.skipped
        if os.path.isdir(path):
            skipped = tuple((os.path.join(path, name), reason) for name, reason in skipped if not is_unrelated(name))
        if not (skipped or source.relative_paths):
            skipped = ((path, "contains no images"),)
        yield self._build_skip_batch(skipped)

    def _find_source(self, path: Path) -> FileList | DatasetArrays:
        size = self._shape[0], self._shape[1]
        if self._options != DEFAULT_OPTIONS:
            with suppress(UserError):  # the path may be of another form than the session's images
                return find_source_images(path, self._options, size)
        return find_source_images(path, DEFAULT_OPTIONS, size)

    def decode_files(self, paths: list[str]) -> Iterator[ImageBatch]:
        start = 0
        for (pixels,), files in decode_transformed_files(paths, (self._file_transform,), self._file_ranges):
            names: list[str] = []
            skipped: list[tuple[str, str]] = []
            for path, file in zip(paths[start : start + len(files)], files, strict=True):
                if file.skip_reason is not None:
                    skipped.append((path, file.skip_reason))
                    continue
                names += [path] if file.pages is None else [f"{path}#{page}" for page in file.pages]
                if file.pages is not None:  # else they are further images of the same picture
                    skipped += [(f"{path}#{page}", reason) for page, reason in file.skipped_pages]
            start += len(files)
            new_kinds = {kind for file in files for kind in file.kinds} - self._session_ranges.keys()
            new_ranges = {kind: self._file_ranges[kind] for kind in new_kinds}
            yield ImageBatch(tuple(names), pixels, tuple(skipped), new_ranges)

    def convert_array(self, array_file: ArrayFile, name: str) -> Iterator[ImageBatch]:
        """Convert an array with its axes in the order N, H, W or N, H, W, C."""
        kind = get_sample_kind(array_file.dtype)
        value_range = self._session_ranges.get(kind) or self._choose_range(array_file, kind)
        new_ranges = {} if value_range in self._session_ranges.values() else {kind: value_range}
        start = 0
        for chunk in self._iter_chunks(array_file, value_range):
            omitted = {index for index, _ in chunk.skipped}
            indices = (index for index in range(start, start + chunk.count) if index not in omitted)
            start += chunk.count
            skipped = tuple((f"{name}#{index}", reason) for index, reason in chunk.skipped)
            yield ImageBatch(tuple(f"{name}#{index}" for index in indices), chunk.pixels, skipped, new_ranges)

    def _iter_chunks(self, array_file: ArrayFile, value_range: ValueRange) -> Iterator[ConvertedChunk]:
        if self._transform is None:
            return iter_converted_chunks(array_file, self._shape, value_range)
        return iter_transformed_chunks(array_file, self._transform, value_range)

    def _choose_range(self, array_file: ArrayFile, kind: SampleKind) -> ValueRange:
        """Return the session's range for another kind that fits the values of an array, else the array's own range."""
        estimator = RangeEstimator(kind)
        for _ in survey_array(array_file, estimator):
            pass
        own_range = estimator.estimate()
        for value_range in map(self._session_ranges.get, SAMPLE_KINDS):
            if value_range and value_range.white / MAX_RANGE_RATIO <= own_range.white <= value_range.white * 1.05:
                return value_range
        return own_range

    def _build_skip_batch(self, skipped: tuple[tuple[str, str], ...]) -> ImageBatch:
        return ImageBatch((), self.empty_pixels, skipped)


def _is_single_image(path: str) -> bool:
    return not ("\0" in path or os.path.isdir(path) or is_array_path(path) or is_list_path(path))


def _iter_path_batches(paths: Iterable[str], batch_size: int) -> Iterator[list[str]]:
    remaining = iter(paths)
    while batch := list(itertools.islice(remaining, batch_size)):
        yield batch

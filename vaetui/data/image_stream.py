"""Read images from files, folders or arrays in batches, without writing a dataset."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaetui.data.array_conversion import iter_resized_pixels
from vaetui.data.array_files import ArrayFile
from vaetui.data.image_files import IMAGE_SUFFIXES
from vaetui.data.image_folder import FileList
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import find_source_images
from vaetui.data.parallel_decoding import DecodedBatch, decode_files
from vaetui.engine.clusters import Pixels
from vaetui.errors import UserError

MAX_BATCH_IMAGES = 4_096
"""Default maximum number of single image files that are decoded together."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageBatch:
    """Consecutive images of a stream."""

    names: tuple[str, ...]
    """The path of each image, or the path of its array followed by # and its index, [n]."""
    pixels: Pixels
    """The pixels, [n, H, W] or [n, H, W, 3]."""
    skipped: tuple[tuple[str, str], ...]
    """Names of files that could not be used, and the reasons."""


def stream_image_batches(
    paths: Iterable[str], shape: tuple[int, ...], batch_size: int = MAX_BATCH_IMAGES
) -> Iterator[ImageBatch]:
    """Read image files, directories, CSV files and arrays, resized to `shape` (H, W) or (H, W, 3), in their order.

    `paths` is consumed lazily: at most `batch_size` consecutive image files are collected before they are decoded.
    A path that does not exist or cannot be read is skipped, with its reason.
    """
    for is_single_image, group in itertools.groupby(paths, _is_single_image):
        for batch in _iter_batches(group, batch_size if is_single_image else 1):
            if is_single_image:
                yield from _batch_decoded_files(batch, decode_files(batch, shape))
            else:
                yield from _stream_source(batch[0], shape)


def _stream_source(path: str, shape: tuple[int, ...]) -> Iterator[ImageBatch]:
    """Read a directory, a CSV file or an array; one that cannot be read is skipped."""
    try:
        if "\0" in path:
            raise UserError("The path contains a zero byte. Write one path per line.")
        source = find_source_images(Path(path).absolute(), ImportOptions())
        if not isinstance(source, FileList):
            yield from _batch_resized_array(source.train_images, path, shape)
            return
    except (UserError, OSError, ValueError) as error:
        yield _build_skip_batch(((path, f"cannot be read: {error}"),), shape)
        return
    image_paths = [str(source.root / path) for path in source.relative_paths]
    yield from _batch_decoded_files(image_paths, decode_files(image_paths, shape))
    yield _build_skip_batch(source.skipped, shape)


def _build_skip_batch(skipped: tuple[tuple[str, str], ...], shape: tuple[int, ...]) -> ImageBatch:
    return ImageBatch((), np.empty((0, *shape), np.uint8), skipped)


def _is_single_image(path: str) -> bool:
    return path.lower().endswith(IMAGE_SUFFIXES) and "\0" not in path and not os.path.isdir(path)


def _iter_batches(paths: Iterable[str], batch_size: int) -> Iterator[list[str]]:
    remaining = iter(paths)
    while batch := list(itertools.islice(remaining, batch_size)):
        yield batch


def _batch_decoded_files(paths: list[str], decoded_batches: Iterator[DecodedBatch]) -> Iterator[ImageBatch]:
    start = 0
    for pixels, results in decoded_batches:
        names: list[str] = []
        skipped: list[tuple[str, str]] = []
        for path, result in zip(paths[start : start + len(results)], results, strict=True):
            if result.skip_reason is not None:
                skipped.append((path, result.skip_reason))
            else:
                names += [path] if result.pages is None else [f"{path}#{page}" for page in result.pages]
                skipped += [(f"{path}#{page}", reason) for page, reason in result.skipped_pages]
        start += len(results)
        yield ImageBatch(tuple(names), pixels, tuple(skipped))


def _batch_resized_array(array_file: ArrayFile, name: str, shape: tuple[int, ...]) -> Iterator[ImageBatch]:
    start = 0
    for pixels in iter_resized_pixels(array_file, shape):
        names = tuple(f"{name}#{index}" for index in range(start, start + len(pixels)))
        start += len(pixels)
        yield ImageBatch(names, pixels, ())

"""Images from wherever a command is told come portion by portion, all alike; nothing is kept of them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaetui.data.array_files import ArrayFile
from vaetui.data.image_files import IMAGE_SUFFIXES
from vaetui.data.image_folder import FileList
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import find_images
from vaetui.data.parallel_decoding import FILES_PER_TASK, DecodedBatch, decode_files
from vaetui.data.resizing import resize_array
from vaetui.engine.clusters import Pixels

MAX_BATCH_IMAGES = 4_096
"""Single pictures that are decoded together, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageBatch:
    """Some images, in their order."""

    names: tuple[str, ...]
    """What each is called, [n]."""
    pixels: Pixels
    """[n, H, W]."""
    skipped: tuple[tuple[str, str], ...]
    """What could not be used, and why."""


def stream_images(
    paths: Iterable[str], shape: tuple[int, ...], batch_size: int = MAX_BATCH_IMAGES
) -> Iterator[ImageBatch]:
    """Read pictures, directories of them, tables and arrays, brought to `shape` (height, width[, 3]).

    Of single pictures up to `together` are waited for. Raises Trouble for a path that leads to no images.
    """
    for single, group in itertools.groupby(paths, lambda path: _is_single_image(Path(path))):
        for batch in _iter_batches(group, batch_size if single else 1):
            if single:
                yield from _batch_decoded_files(batch, decode_files(batch, shape))
                continue
            path = Path(batch[0]).absolute()
            found = find_images(path, ImportOptions())
            if isinstance(found, FileList):
                files = [str(found.root / name) for name in found.relative_paths]
                yield from _batch_decoded_files(files, decode_files(files, shape))
                yield ImageBatch((), np.empty((0, *shape), np.uint8), found.skipped)
            else:
                yield from _batch_resized_array(found.train_images, batch[0], shape)


def _is_single_image(path: Path) -> bool:
    return path.name.lower().endswith(IMAGE_SUFFIXES) and not os.path.isdir(path)


def _iter_batches(paths: Iterable[str], batch_size: int) -> Iterator[list[str]]:
    waiting = iter(paths)
    while batch := list(itertools.islice(waiting, batch_size)):
        yield batch


def _batch_decoded_files(names: list[str], decoded_batches: Iterator[DecodedBatch]) -> Iterator[ImageBatch]:
    start = 0
    for pixels, reasons in decoded_batches:
        those = names[start : start + FILES_PER_TASK]
        start += len(those)
        told = list(zip(those, reasons, strict=True))
        used = tuple(name for name, why in told if why is None)
        yield ImageBatch(used, pixels, tuple((name, why) for name, why in told if why is not None))


def _batch_resized_array(array_file: ArrayFile, name: str, shape: tuple[int, ...]) -> Iterator[ImageBatch]:
    start = 0
    for pixels in resize_array(array_file, shape):
        names = tuple(f"{name}#{at}" for at in range(start, start + len(pixels)))
        start += len(pixels)
        yield ImageBatch(names, pixels, ())

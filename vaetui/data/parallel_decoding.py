"""Decode many image files in several processes, in order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, nullcontext, redirect_stderr
from functools import partial
from multiprocessing import resource_tracker
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from vaetui.cpu_threads import count_usable_cpus
from vaetui.data.image_files import (
    NO_RANGES,
    ImageSurvey,
    ImageTransform,
    ResizeTransform,
    decode_transformed,
    survey_image,
)
from vaetui.data.image_samples import UnusableImageError
from vaetui.data.value_range import SampleKind, ValueRanges
from vaetui.errors import UserError

FILES_PER_TASK = 64
"""Files that a process decodes per task."""
MIN_FILES_PER_PROCESS = 256
"""Fewest small files per process: starting one takes as long as decoding this many."""
BYTES_PER_SMALL_FILE = 1 << 14
"""A large file counts as one small file per this many bytes."""
QUEUED_TASKS_PER_PROCESS = 4
"""Tasks that wait for each process."""
MAX_BYTES_PER_TASK = 1 << 24
"""Most bytes of files in a task: a photo takes as long as hundreds of small images, and a stack has thousands."""
PAGED_SUFFIXES = (".tif", ".tiff", ".gif", ".webp", ".avif", ".avifs", ".apng", ".fli", ".flc", ".dcx")
"""Endings of files that often contain several images, so that their lengths differ much."""
Item = TypeVar("Item")


class FileResult(NamedTuple):
    """What became of a file."""

    pages: tuple[int, ...] | None
    """The decoded pages from 0; None for a file with one image, and for a skipped file."""
    skipped_pages: tuple[tuple[int, str], ...]
    """Pages that cannot be used, and the reasons."""
    size: tuple[int, int] | None
    """Original height and width of the first page, upright; None for a skipped file."""
    skip_reason: str | None
    """Why the file was skipped; None if it was decoded."""
    kinds: frozenset[SampleKind] = frozenset()
    """How the values of the images are stored; empty for a skipped file."""

    @property
    def image_count(self) -> int:
        """Number of decoded images."""
        return int(self.skip_reason is None) if self.pages is None else len(self.pages)


DecodedBatch: TypeAlias = "tuple[NDArray[np.uint8], list[FileResult]]"
"""Pixels of all images of consecutive files, [n, H, W] or [n, H, W, 3], and the result of each of these files."""
TransformedBatch: TypeAlias = "tuple[tuple[NDArray[np.uint8], ...], list[FileResult]]"
"""The same with the pixels by each of several transforms."""


class DecodingPool:
    """Processes that decode and survey files: they start while the caller goes on, and serve several calls."""

    def __init__(self, process_count: int) -> None:
        """Start the processes."""
        context = multiprocessing.get_context("spawn")  # forking a process with threads may deadlock
        # Textual replaces stderr by an object without a file descriptor to inherit.
        with redirect_stderr(sys.__stderr__):
            resource_tracker.ensure_running()
        self._process_count = process_count
        self._executor = ProcessPoolExecutor(process_count, context, _prepare_process)
        for _ in range(process_count):
            self._executor.submit(os.getpid)  # a process starts with its first task

    def __enter__(self) -> DecodingPool:
        """Return the pool."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop the waiting tasks and end the processes."""
        self._executor.shutdown(cancel_futures=True)

    def map_batches(
        self, function: Callable[[Sequence[str]], Item], batches: Iterable[Sequence[str]]
    ) -> Iterator[Item]:
        """Yield the results of a function for batches of paths, in order; raises UserError if a process is killed."""
        queue: deque[tuple[Sequence[str], Future[Item]]] = deque()
        batch: Sequence[str] = ()
        try:
            for batch in batches:
                queue.append((batch, self._executor.submit(function, batch)))
                if len(queue) > QUEUED_TASKS_PER_PROCESS * self._process_count:
                    yield queue.popleft()[1].result()
            while queue:
                yield queue[0][1].result()
                queue.popleft()
        except BrokenProcessPool as error:
            last_path = queue[0][0][0] if queue else batch[-1]
            raise UserError(
                f"A decoding process was killed near {last_path}. Free some memory and run the command again."
            ) from error
        finally:
            for _, future in queue:
                future.cancel()


def open_pool(paths: Sequence[str]) -> AbstractContextManager[DecodingPool | None]:
    """Return a pool for many or large files, or None for others, which one process decodes faster."""
    process_count = _count_processes(len(paths) + _split_paths(paths)[1] // BYTES_PER_SMALL_FILE)
    return nullcontext() if process_count < 2 else DecodingPool(process_count)


def decode_files(
    paths: Sequence[str],
    shape: tuple[int, ...],
    value_ranges: ValueRanges = NO_RANGES,
    pool: DecodingPool | None = None,
) -> Iterator[DecodedBatch]:
    """Yield the images of files, (H, W) or (H, W, 3), in batches of at most FILES_PER_TASK files, in order.

    Without `pool`, many files get one for this call. See `decode_image`. Raises UserError if a process is killed.
    """
    for (pixels,), results in decode_transformed_files(paths, (ResizeTransform(shape),), value_ranges, pool):
        yield pixels, results


def decode_transformed_files(
    paths: Sequence[str],
    transforms: Sequence[ImageTransform],
    value_ranges: ValueRanges = NO_RANGES,
    pool: DecodingPool | None = None,
) -> Iterator[TransformedBatch]:
    """Yield the images of files by each transform, as `decode_files` does."""
    function = partial(_decode_batch, transforms=tuple(transforms), value_ranges=dict(value_ranges))
    return _map_files(function, paths, pool)


def survey_files(paths: Sequence[str], pool: DecodingPool | None = None) -> Iterator[list[ImageSurvey | None]]:
    """Yield the surveys of files in batches of at most FILES_PER_TASK files, in order; None for an unusable file.

    Without `pool`, many files get one for this call. Raises UserError if a process is killed.
    """
    return _map_files(_survey_batch, paths, pool)


def _map_files(
    function: Callable[[Sequence[str]], Item], paths: Sequence[str], pool: DecodingPool | None
) -> Iterator[Item]:
    """Yield the results of a function for batches of files, computed in several processes if there are many."""
    batches, total_bytes = _split_paths(paths)
    process_count = _count_processes(len(paths) + total_bytes // BYTES_PER_SMALL_FILE)
    if process_count < 2:
        yield from map(function, batches)
        return
    with nullcontext(pool) if pool is not None else DecodingPool(process_count) as shared_pool:
        yield from shared_pool.map_batches(function, batches)


def _count_processes(small_file_count: int) -> int:
    return min(count_usable_cpus(), small_file_count // MIN_FILES_PER_PROCESS)


def _split_paths(paths: Sequence[str]) -> tuple[list[Sequence[str]], int]:
    """Return batches of files that take about the same time, and the approximate length of all files in bytes."""
    batches: list[Sequence[str]] = []
    start = batch_bytes = total_bytes = file_bytes = 0
    for index, path in enumerate(paths):
        # The first file stands for the others of its batch: looking up the lengths of a million files takes seconds.
        if index == start or path[-6:].lower().endswith(PAGED_SUFFIXES):
            file_bytes = _get_length(path)
        batch_bytes += file_bytes
        if index + 1 - start == FILES_PER_TASK or batch_bytes > MAX_BYTES_PER_TASK or index + 1 == len(paths):
            batches.append(paths[start : index + 1])
            total_bytes += batch_bytes
            start, batch_bytes = index + 1, 0
    return batches, total_bytes


def _get_length(path: str) -> int:
    try:
        return os.path.getsize(path)
    except (OSError, ValueError):
        return 0


def _decode_batch(
    paths: Sequence[str], transforms: Sequence[ImageTransform], value_ranges: ValueRanges
) -> TransformedBatch:
    files = []
    results: list[FileResult] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # see decode_transformed
        for path in paths:
            try:
                file = decode_transformed(path, transforms, value_ranges)
                files.append(file.pixel_sets)
                results.append(FileResult(file.pages, file.skipped_pages, file.size, None, file.kinds))
            except UnusableImageError as error:
                results.append(FileResult(None, (), None, str(error)))
    pixel_sets = tuple(
        np.concatenate([pixels[index] for pixels in files]) if files else np.empty((0, *transform.shape), np.uint8)
        for index, transform in enumerate(transforms)
    )
    return pixel_sets, results


def _survey_batch(paths: Sequence[str]) -> list[ImageSurvey | None]:
    surveys: list[ImageSurvey | None] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in paths:
            try:
                surveys.append(survey_image(path))
            except UnusableImageError:
                surveys.append(None)
    return surveys


def _prepare_process() -> None:
    """Ignore SIGINT, which a terminal sends to all processes, as the main process shuts the pool down; end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the main process was killed: its pool would wait for tasks forever."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)

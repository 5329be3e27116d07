"""Many picture files become pixels, several at a time and in their order; it does not know where they come from."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stderr
from multiprocessing import resource_tracker
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vaetui.data.image_files import UnusableImageError, decode_image
from vaetui.errors import UserError

FILES_PER_TASK = 64
"""Files that a process is given at a time."""
MIN_FILES_PER_PROCESS = 256
"""Files for each process, at least: starting one takes as long as decoding so many."""
QUEUED_TASKS_PER_PROCESS = 4
"""Portions that wait for each process."""
DecodedBatch: TypeAlias = "tuple[NDArray[np.uint8], list[str | None]]"
"""Pixels of those that could be decoded, [n, H, W] or [n, H, W, 3], and for each file why not, or None."""


def decode_files(paths: Sequence[str], shape: tuple[int, ...]) -> Iterator[DecodedBatch]:
    """Decode the files portion by portion, in their order, to `shape` (height, width), in colour (height, width, 3).

    Raises Trouble where a process that decodes is killed.
    """
    portions = [paths[start : start + FILES_PER_TASK] for start in range(0, len(paths), FILES_PER_TASK)]
    processes = min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, len(paths) // MIN_FILES_PER_PROCESS
    )
    if processes < 2:
        yield from (_decode_batch(portion, shape) for portion in portions)
        return
    context = multiprocessing.get_context("spawn")  # a copy of a process with threads may hang
    with redirect_stderr(sys.__stderr__):  # what a screen puts in its place is no file that could be handed on
        resource_tracker.ensure_running()
    with ProcessPoolExecutor(processes, context, _ignore_interrupts) as pool:
        waiting: deque[tuple[Sequence[str], Future[DecodedBatch]]] = deque()
        try:
            for portion in portions:
                waiting.append((portion, pool.submit(_decode_batch, portion, shape)))
                if len(waiting) > QUEUED_TASKS_PER_PROCESS * processes:
                    yield waiting.popleft()[1].result()
            while waiting:
                yield waiting[0][1].result()
                waiting.popleft()
        except BrokenProcessPool as error:
            near = waiting[0][0][0] if waiting else paths[-1]
            raise UserError(f"Decoding was killed near {near}, for want of memory perhaps; begin again.") from error
        finally:
            pool.shutdown(cancel_futures=True)


def _decode_batch(paths: Sequence[str], shape: tuple[int, ...]) -> DecodedBatch:
    pictures: list[NDArray[np.uint8]] = []
    reasons: list[str | None] = []
    for path in paths:
        try:
            pictures.append(decode_image(path, shape))
            reasons.append(None)
        except UnusableImageError as unfit:
            reasons.append(str(unfit))
    return np.stack(pictures) if pictures else np.empty((0, *shape), np.uint8), reasons


def _ignore_interrupts() -> None:
    """Leave it to the first process what to do when a person interrupts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

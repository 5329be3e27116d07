"""Decode many image files in several processes, in order."""

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
"""Files that a process decodes per task."""
MIN_FILES_PER_PROCESS = 256
"""Fewest files per process: starting one takes as long as decoding this many."""
QUEUED_TASKS_PER_PROCESS = 4
"""Tasks that wait for each process."""
DecodedBatch: TypeAlias = "tuple[NDArray[np.uint8], list[str | None]]"
"""Pixels of the decoded files, [n, H, W] or [n, H, W, 3], and for each file the reason for skipping it, or None."""


def decode_files(paths: Sequence[str], shape: tuple[int, ...]) -> Iterator[DecodedBatch]:
    """Yield FILES_PER_TASK decoded files at a time, (H, W) or (H, W, 3); raises UserError if a process is killed."""
    batches = [paths[start : start + FILES_PER_TASK] for start in range(0, len(paths), FILES_PER_TASK)]
    cpu_count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    process_count = min(cpu_count, len(paths) // MIN_FILES_PER_PROCESS)
    if process_count < 2:
        yield from (_decode_batch(batch, shape) for batch in batches)
        return
    context = multiprocessing.get_context("spawn")  # forking a process with threads may deadlock
    with redirect_stderr(sys.__stderr__):  # Textual replaces stderr by an object without a file descriptor to inherit
        resource_tracker.ensure_running()
    with ProcessPoolExecutor(process_count, context, _ignore_interrupts) as pool:
        queue: deque[tuple[Sequence[str], Future[DecodedBatch]]] = deque()
        try:
            for batch in batches:
                queue.append((batch, pool.submit(_decode_batch, batch, shape)))
                if len(queue) > QUEUED_TASKS_PER_PROCESS * process_count:
                    yield queue.popleft()[1].result()
            while queue:
                yield queue[0][1].result()
                queue.popleft()
        except BrokenProcessPool as error:
            last_path = queue[0][0][0] if queue else paths[-1]
            raise UserError(
                f"A decoding process was killed near {last_path}. Free some memory and run the command again."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _decode_batch(paths: Sequence[str], shape: tuple[int, ...]) -> DecodedBatch:
    images: list[NDArray[np.uint8]] = []
    skip_reasons: list[str | None] = []
    for path in paths:
        try:
            images.append(decode_image(path, shape))
            skip_reasons.append(None)
        except UnusableImageError as error:
            skip_reasons.append(str(error))
    return np.stack(images) if images else np.empty((0, *shape), np.uint8), skip_reasons


def _ignore_interrupts() -> None:
    """Ignore SIGINT, which a terminal sends to all processes; the main process shuts the pool down."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

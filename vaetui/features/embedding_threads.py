"""Compute batches of vectors in several threads, in order.

Each batch goes through the network in one thread, which computes alone: a vector then does not depend on the number of
threads, and no thread waits for another that lacks a core because files are decoded on it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vaetui.cpu_threads import count_usable_cpus
from vaetui.errors import UserError
from vaetui.features.pretrained_model import ImageModel

QUEUED_BATCHES_PER_THREAD = 2
"""Batches that wait for each thread."""
EmbeddedVectors: TypeAlias = "NDArray[np.float16]"
"""Vectors as an image model returns them, [n, D]."""
PreparedPixels: TypeAlias = "NDArray[np.uint8]"
"""Images as the model needs them, [n, H, W, 3]."""


class EmbeddingThreads:
    """Threads that compute batches, in order."""

    def __init__(self, model: ImageModel) -> None:
        """Set the model; on a graphics card there is one thread."""
        self._model = model
        self._count = count_usable_cpus() if model.device == "cpu" else 1
        self._queue: deque[Future[EmbeddedVectors]] = deque()

    def __enter__(self) -> EmbeddingThreads:
        """Start the threads, and load the network in one of them."""
        self._lock, self._previous_thread_count = threading.Lock(), 0
        self._executor = ThreadPoolExecutor(self._count, "embedding", self._start_thread)
        self._loading = self._executor.submit(self._model.load)
        return self

    def __exit__(self, *_: object) -> None:
        """Drop the queued batches, and end the threads."""
        self._executor.shutdown(cancel_futures=True)
        if self._previous_thread_count:
            import torch

            torch.set_num_threads(self._previous_thread_count)  # results of training depend on it

    def _start_thread(self) -> None:
        if self._model.device == "cpu":
            import torch

            with self._lock:
                self._previous_thread_count = self._previous_thread_count or torch.get_num_threads()
                torch.set_num_threads(1)

    def submit(self, prepare: Callable[[], PreparedPixels]) -> Iterator[EmbeddedVectors]:
        """Queue one batch, and yield earlier ones that are finished, waiting for some if many are queued."""
        self._queue.append(self._executor.submit(self._embed, prepare))
        while self._queue and (self._queue[0].done() or len(self._queue) > QUEUED_BATCHES_PER_THREAD * self._count):
            yield self._queue.popleft().result()

    def iter_remaining(self) -> Iterator[EmbeddedVectors]:
        """Wait for the queued batches."""
        while self._queue:
            yield self._queue.popleft().result()

    def embed_all(self, pixels: PreparedPixels) -> EmbeddedVectors:
        """Return the vectors of any number of images."""
        size, batches = self._model.batch_images, list[EmbeddedVectors]()
        for start in range(0, len(pixels), size):
            batches += self.submit(lambda part=pixels[start : start + size]: part)  # type: ignore[misc]
        batches += self.iter_remaining()
        return np.concatenate(batches) if batches else np.empty((0, self._model.width), np.float16)

    def _embed(self, prepare: Callable[[], PreparedPixels]) -> EmbeddedVectors:
        self._loading.result()
        with _explain_lack_of_memory():
            return self._model.embed(prepare())


@contextmanager
def _explain_lack_of_memory() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "out of memory" not in str(error).lower():
            raise
        raise UserError("The memory is too small for a batch of images. Use a smaller --batch.") from error

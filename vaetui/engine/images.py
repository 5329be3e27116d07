"""Images read from IDX files, in memory or mapped from the disk."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine import idx
from vaetui.engine.clusters import Indices, Pixels
from vaetui.engine.events import Progress
from vaetui.engine.slow_calls import exhaust
from vaetui.errors import UserError

CHUNK_BYTES = 1 << 24
"""Bytes read at a time."""
MAX_ITEM_BYTES = 1 << 26
"""Most bytes of one item: no image has as many, but a damaged header may declare more."""
MIN_MMAP_BYTES = 1 << 28
"""Images of at least this size are mapped from their file; smaller ones are read, so nothing can change them later."""


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """A selection of the images in a file, as bytes."""

    all_pixels: Pixels
    """All images of the file, [M, H, W] or [M, H, W, 3], in memory or mapped."""
    indices: Indices
    """Indices of the selected images, [N]."""

    def __len__(self) -> int:
        """Return the number of selected images."""
        return len(self.indices)

    def __getitem__(self, indices: Indices | slice) -> Pixels:
        """Return the pixels of some of the selected images."""
        pixels: Pixels = self.all_pixels[self.indices[indices]]
        return pixels

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image: (H, W) or (H, W, 3)."""
        return self.all_pixels.shape[1:]

    def subset(self, indices: Indices) -> Images:
        """Return a selection of the selected images."""
        return Images(self.all_pixels, self.indices[indices])


def images_from_array(pixels: Pixels) -> Images:
    """Return all images of an array, [N, H, W] or [N, H, W, 3]."""
    return Images(pixels, np.arange(len(pixels)))


def read_idx_chunks(path: Path, ndim: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the items of a plain or gzipped IDX file of unsigned bytes with `ndim` dimensions, some at a time.

    Raises UserError for a wrong magic number, a size that differs from the header, a truncated or damaged file.
    """
    with idx.open_idx(path) as file:
        shape = idx.read_header(file, path, ndim)
        item_bytes = int(np.prod(shape[1:], dtype=object))
        total_bytes, read_bytes = item_bytes * shape[0], 0
        if item_bytes > MAX_ITEM_BYTES:
            raise UserError(
                f"{path} is damaged: its header declares items of {item_bytes:,} bytes. Download or copy it again."
            )
        step_bytes = max(CHUNK_BYTES // max(item_bytes, 1), 1) * item_bytes
        with idx.translate_read_errors(path):
            # In chunks, because a damaged header may declare more than fits in memory.
            while read_bytes < total_bytes and (chunk := file.read(min(step_bytes, total_bytes - read_bytes))):
                read_bytes += len(chunk)
                whole_bytes = len(chunk) - len(chunk) % item_bytes
                yield np.frombuffer(chunk[:whole_bytes], np.uint8).reshape(-1, *shape[1:])
            excess = file.read(1)
    if read_bytes < total_bytes:
        raise UserError(
            f"{path} is truncated: it has {read_bytes:,} of {total_bytes:,} bytes. Download or copy it again."
        )
    if excess:
        raise UserError(
            f"{path} has more than the {total_bytes:,} bytes that its header declares. Download or copy it again."
        )


def read_idx_array(path: Path, ndim: int) -> NDArray[np.uint8]:
    """Return the array in an IDX file; raises UserError like `read_idx_chunks`."""
    body = bytearray()
    for chunk in read_idx_chunks(path, ndim):
        body += chunk.data
    return np.frombuffer(body, np.uint8).reshape(idx.read_header_shape(path, ndim))


def read_images_and_digest(path: Path) -> tuple[Images, bytes]:
    """Return the images in an IDX file and the SHA-256 digest of their pixels; see `read_images_in_steps`."""
    return exhaust(read_images_in_steps(path))


def read_images_in_steps(
    path: Path, on_chunk: Callable[[Pixels], None] | None = None
) -> Generator[Progress, None, tuple[Images, bytes]]:
    """Return the images in an IDX file and the SHA-256 digest of their pixels; map large uncompressed files.

    `on_chunk` is called with the images, some at a time, and sees all of them. Yields Progress. Raises UserError like
    `read_idx_chunks`, and for unsupported shapes.
    """
    shape = idx.read_image_header_shape(path)
    idx.require_supported_shape(path, shape)
    ndim = len(shape)
    digest, body, read_count = hashlib.sha256(), bytearray(), 0
    is_mapped = path.suffix != ".gz" and math.prod(shape) >= MIN_MMAP_BYTES
    for chunk in read_idx_chunks(path, ndim):
        digest.update(chunk.data)
        if on_chunk is not None:
            on_chunk(chunk)
        if not is_mapped:
            body += chunk.data
        read_count += len(chunk)
        if read_count < shape[0]:  # one chunk is not worth a report
            yield Progress("reading the images", read_count, shape[0])
    if is_mapped:
        # Copy-on-write, though nothing writes: PyTorch warns about read-only memory.
        return images_from_array(np.memmap(path, np.uint8, "c", 4 + 4 * ndim, shape)), digest.digest()
    return images_from_array(np.frombuffer(body, np.uint8).reshape(shape)), digest.digest()

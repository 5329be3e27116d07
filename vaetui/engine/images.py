"""IDX files become Images; it knows no labels."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Indices, Pixels
from vaetui.engine.idx import header_shape, image_header_shape, open_idx, read_header, require_supported
from vaetui.errors import UserError

CHUNK_BYTES = 1 << 24
"""Bytes read at a time."""
MAX_ITEM_BYTES = 1 << 26
"""Bytes of one item, at most: no picture has as many, but a damaged header may announce them."""
MIN_MMAP_BYTES = 1 << 28
"""Bytes from which on images stay in their file: fewer are read at once, and nobody can change them any more."""


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Some of the images in a file, as bytes; a large file stays on the disk until it is looked at."""

    all_pixels: Pixels
    """All images of the file, [M, H, W] or [M, H, W, 3], in memory or mapped into it."""
    indices: Indices
    """Which of them these are, [N]."""

    def __len__(self) -> int:
        """Count the images."""
        return len(self.indices)

    def __getitem__(self, indices: Indices | slice) -> Pixels:
        """Give the pixels of some of these images."""
        pixels: Pixels = self.all_pixels[self.indices[indices]]
        return pixels

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width in pixels; of images in colour also 3."""
        return self.all_pixels.shape[1:]

    def subset(self, indices: Indices) -> Images:
        """Give some of these images."""
        return Images(self.all_pixels, self.indices[indices])


def images_from_array(pixels: Pixels) -> Images:
    """Take all images of an array, [N, H, W] or [N, H, W, 3]."""
    return Images(pixels, np.arange(len(pixels)))


def read_idx_chunks(path: Path, rank: int) -> Iterator[NDArray[np.uint8]]:
    """Read an IDX file of unsigned bytes with `rank` dimensions, gzipped or plain, some items at a time.

    Raises Trouble for a wrong magic number, a size that does not fit, a truncated or damaged file.
    """
    with open_idx(path) as file:
        shape = read_header(file, path, rank)
        each = int(np.prod(shape[1:], dtype=object))
        size, read = each * shape[0], 0
        if each > MAX_ITEM_BYTES:
            raise UserError(f"{path} announces items of {each:,} bytes each; it is damaged: get it anew.")
        step = max(CHUNK_BYTES // max(each, 1), 1) * each
        try:
            # Piece by piece: a header may announce more than any memory holds.
            while read < size and (piece := file.read(min(step, size - read))):
                read += len(piece)
                whole = len(piece) - len(piece) % each
                yield np.frombuffer(piece[:whole], np.uint8).reshape(-1, *shape[1:])
            more = file.read(1)
        except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
            raise UserError(f"{path} is damaged ({error}); get it anew.") from error
    if read < size:
        raise UserError(f"{path} is truncated: {read:,} of {size:,} bytes are there; get it anew.")
    if more:
        raise UserError(f"{path} holds more than the {size:,} bytes that its header announces; get it anew.")


def read_idx(path: Path, rank: int) -> NDArray[np.uint8]:
    """Read a whole IDX file; raises what `read_pieces` raises."""
    body = bytearray()
    for piece in read_idx_chunks(path, rank):
        body += piece.data
    return np.frombuffer(body, np.uint8).reshape(header_shape(path, rank))


def read_images(path: Path) -> tuple[Images, bytes]:
    """Read images from an IDX file, and give their SHA-256; a large file that is not packed is mapped into memory.

    Raises Trouble for what `read_pieces` refuses, for no images, and for sides outside 8 to 64 pixels.
    """
    shape = image_header_shape(path)
    require_supported(path, shape)
    rank = len(shape)
    digest, body = hashlib.sha256(), bytearray()
    mapped = path.suffix != ".gz" and math.prod(shape) >= MIN_MMAP_BYTES
    for piece in read_idx_chunks(path, rank):
        digest.update(piece.data)
        if not mapped:
            body += piece.data
    if mapped:
        # Copied where it is written to, which nobody does: PyTorch wants no memory that is read-only.
        return images_from_array(np.memmap(path, np.uint8, "c", 4 + 4 * rank, shape)), digest.digest()
    return images_from_array(np.frombuffer(body, np.uint8).reshape(shape)), digest.digest()

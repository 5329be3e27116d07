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
from vaetui.engine.idx import check_shape, opened, peek, peek_images, read_header
from vaetui.errors import Trouble

PIECE = 1 << 24
"""Bytes read at a time."""
LARGEST = 1 << 26
"""Bytes of one item, at most: no picture has as many, but a damaged header may announce them."""
MAPPED = 1 << 28
"""Bytes from which on images stay in their file: fewer are read at once, and nobody can change them any more."""


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Some of the images in a file, as bytes; a large file stays on the disk until it is looked at."""

    stored: Pixels
    """All images of the file, [M, H, W] or [M, H, W, 3], in memory or mapped into it."""
    places: Indices
    """Which of them these are, [N]."""

    def __len__(self) -> int:
        """Count the images."""
        return len(self.places)

    def __getitem__(self, which: Indices | slice) -> Pixels:
        """Give the pixels of some of these images."""
        pixels: Pixels = self.stored[self.places[which]]
        return pixels

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width in pixels; of images in colour also 3."""
        return self.stored.shape[1:]

    def only(self, which: Indices) -> Images:
        """Give some of these images."""
        return Images(self.stored, self.places[which])


def every(stored: Pixels) -> Images:
    """Take all images of an array, [N, H, W] or [N, H, W, 3]."""
    return Images(stored, np.arange(len(stored)))


def read_pieces(path: Path, rank: int) -> Iterator[NDArray[np.uint8]]:
    """Read an IDX file of unsigned bytes with `rank` dimensions, gzipped or plain, some items at a time.

    Raises Trouble for a wrong magic number, a size that does not fit, a truncated or damaged file.
    """
    with opened(path) as file:
        shape = read_header(file, path, rank)
        each = int(np.prod(shape[1:], dtype=object))
        size, read = each * shape[0], 0
        if each > LARGEST:
            raise Trouble(f"{path} announces items of {each:,} bytes each; it is damaged: get it anew.")
        step = max(PIECE // max(each, 1), 1) * each
        try:
            # Piece by piece: a header may announce more than any memory holds.
            while read < size and (piece := file.read(min(step, size - read))):
                read += len(piece)
                whole = len(piece) - len(piece) % each
                yield np.frombuffer(piece[:whole], np.uint8).reshape(-1, *shape[1:])
            more = file.read(1)
        except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
            raise Trouble(f"{path} is damaged ({error}); get it anew.") from error
    if read < size:
        raise Trouble(f"{path} is truncated: {read:,} of {size:,} bytes are there; get it anew.")
    if more:
        raise Trouble(f"{path} holds more than the {size:,} bytes that its header announces; get it anew.")


def read_idx(path: Path, rank: int) -> NDArray[np.uint8]:
    """Read a whole IDX file; raises what `read_pieces` raises."""
    body = bytearray()
    for piece in read_pieces(path, rank):
        body += piece.data
    return np.frombuffer(body, np.uint8).reshape(peek(path, rank))


def read_images(path: Path) -> tuple[Images, bytes]:
    """Read images from an IDX file, and give their SHA-256; a large file that is not packed is mapped into memory.

    Raises Trouble for what `read_pieces` refuses, for no images, and for sides outside 8 to 64 pixels.
    """
    shape = peek_images(path)
    check_shape(path, shape)
    rank = len(shape)
    digest, body = hashlib.sha256(), bytearray()
    mapped = path.suffix != ".gz" and math.prod(shape) >= MAPPED
    for piece in read_pieces(path, rank):
        digest.update(piece.data)
        if not mapped:
            body += piece.data
    if mapped:
        # Copied where it is written to, which nobody does: PyTorch wants no memory that is read-only.
        return every(np.memmap(path, np.uint8, "c", 4 + 4 * rank, shape)), digest.digest()
    return every(np.frombuffer(body, np.uint8).reshape(shape)), digest.digest()

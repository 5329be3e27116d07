"""IDX files become Images; it knows no labels."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Indices, Pixels
from vaetui.engine.idx import check_shape, opened, peek, read_header
from vaetui.trouble import Trouble

PIECE = 1 << 24
"""Bytes read at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Grey images, kept as bytes so that a large set fits in memory."""

    pixels: Pixels
    """[N, H, W], 0 to 255."""

    def __len__(self) -> int:
        """Count the images."""
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[1], self.pixels.shape[2]


def read_pieces(path: Path, rank: int) -> Iterator[NDArray[np.uint8]]:
    """Read an IDX file of unsigned bytes with `rank` dimensions, gzipped or plain, some items at a time.

    Raises Trouble for a wrong magic number, a size that does not fit, a truncated or damaged file.
    """
    with opened(path) as file:
        shape = read_header(file, path, rank)
        each = int(np.prod(shape[1:], dtype=object))
        size, read = each * shape[0], 0
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


def read_images(path: Path) -> Images:
    """Read images from an IDX file.

    Raises Trouble for what `read_idx` refuses, for no images, and for sides outside 8 to 64 pixels.
    """
    check_shape(path, peek(path, 3))
    return Images(read_idx(path, 3))


def read_divided(path: Path, held_out: Indices) -> tuple[Images, Images, bytes]:
    """Read images from an IDX file without holding any twice: the others, those held out, and the SHA-256 of all.

    `held_out` are places, ascending. Raises Trouble for what `read_images` refuses.
    """
    shape = peek(path, 3)
    check_shape(path, shape)
    held = np.zeros(shape[0], dtype=bool)
    held[held_out] = True
    first = np.empty((shape[0] - len(held_out), *shape[1:]), np.uint8)
    second = np.empty((len(held_out), *shape[1:]), np.uint8)
    start = others = kept = 0
    digest = hashlib.sha256()
    for piece in read_pieces(path, 3):
        digest.update(piece.data)
        out = held[start : start + len(piece)]
        start += len(piece)
        inside, aside = piece[~out], piece[out]
        first[others : others + len(inside)] = inside
        second[kept : kept + len(aside)] = aside
        others, kept = others + len(inside), kept + len(aside)
    return Images(first), Images(second), digest.digest()

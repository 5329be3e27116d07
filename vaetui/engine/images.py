"""IDX files become Images; it knows no labels."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Pixels
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


def read_idx(path: Path, rank: int) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes with `rank` dimensions, gzipped or plain.

    Raises Trouble for a wrong magic number, a size that does not fit, a truncated or damaged file.
    """
    with opened(path) as file:
        shape = read_header(file, path, rank)
        size = int(np.prod(shape, dtype=object))
        body = bytearray()
        try:
            # Piece by piece: a header may announce more than any memory holds.
            while len(body) < size and (piece := file.read(min(PIECE, size - len(body)))):
                body += piece
            more = file.read(1)
        except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
            raise Trouble(f"{path} is damaged ({error}); get it anew.") from error
    if len(body) < size:
        raise Trouble(f"{path} is truncated: {len(body):,} of {size:,} bytes are there; get it anew.")
    if more:
        raise Trouble(f"{path} holds more than the {size:,} bytes that its header announces; get it anew.")
    return np.frombuffer(body, np.uint8).reshape(shape)


def read_images(path: Path) -> Images:
    """Read images from an IDX file.

    Raises Trouble for what `read_idx` refuses, for no images, and for sides outside 8 to 64 pixels.
    """
    check_shape(path, peek(path, 3))
    return Images(read_idx(path, 3))

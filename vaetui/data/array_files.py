"""Arrays of images in one file: npy, npz, IDX; read piece by piece, and nothing in them is ever unpickled."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.idx import opened, peek_images, read_header
from vaetui.errors import Trouble
from vaetui.storage import npz

PIECE = 1 << 24
"""Bytes read at a time."""
LONGEST = 1_000
"""Bytes of a head that describes an array."""
STRANGE = (*npz.STRANGE, OSError, ValueError, MemoryError, zlib.error)
"""What a damaged or hostile file can bring zipfile, and NumPy's reading of heads, to raise."""


@dataclass(frozen=True, slots=True)
class Stack:
    """An array in a file."""

    what: str
    """How a person knows it."""
    shape: tuple[int, ...]
    """Its shape; the first side counts the images."""
    dtype: np.dtype[Any]
    """Its type."""
    begin: Callable[[], AbstractContextManager[IO[bytes]]]
    """Opens the file where its numbers begin."""

    def pieces(self) -> Iterator[NDArray[Any]]:
        """Read it some images at a time.

        Raises Trouble for a truncated or damaged file.
        """
        each = math.prod(self.shape[1:]) * self.dtype.itemsize
        step = max(PIECE // max(each, 1), 1)
        with explained(self.what), self.begin() as file:
            for start in range(0, self.shape[0], step):
                count = min(step, self.shape[0] - start)
                body = _read(file, count * each)
                yield np.frombuffer(body, self.dtype).reshape(count, *self.shape[1:])

    def whole(self) -> NDArray[Any]:
        """Read all of it; raises as `pieces` does."""
        return np.concatenate([*self.pieces()]) if self.shape[0] else np.empty(self.shape, self.dtype)


def of_npy(path: Path) -> Stack:
    """Give the array of an npy file, or raise Trouble."""
    begin = partial(_plain, path)
    with explained(str(path)), begin() as file:
        shape, dtype = _head(file)
        start = file.tell()
    return Stack(str(path), shape, dtype, partial(_from, begin, start))


def of_npz(path: Path) -> dict[str, Stack]:
    """Give the arrays of an npz file by their names, or raise Trouble."""
    found = {}
    with explained(str(path)), zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not info.filename.endswith(".npy"):
                continue
            begin = partial(_member, path, info.filename)
            with begin() as file:
                shape, dtype = _head(file)
                start = file.tell()
            if info.file_size != start + math.prod(shape) * dtype.itemsize:
                raise ValueError(f"{info.filename} is not as long as its head says")
            name = info.filename.removesuffix(".npy")
            found[name] = Stack(f"{name} in {path}", shape, dtype, partial(_from, begin, start))
    return found


def of_idx(path: Path, rank: int) -> Stack:
    """Give the array of an IDX file, gzipped or plain, or raise Trouble."""
    begin = partial(opened, path)
    with explained(str(path)), begin() as file:
        shape = read_header(file, path, rank)
        start = 4 + 4 * rank
    return Stack(str(path), shape, np.dtype(np.uint8), partial(_from, begin, start))


def of_images(path: Path) -> Stack:
    """Give the images, grey or in colour, of an IDX file, gzipped or plain, or raise Trouble."""
    return of_idx(path, len(peek_images(path)))


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what a damaged file raises into Trouble."""
    try:
        yield
    except STRANGE as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise Trouble(f"{what} cannot be read ({reason}); get it anew.") from error


def _head(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read the head of an npy file; raises ValueError, among others, for what is none or cannot be read in pieces."""
    version = np.lib.format.read_magic(file)
    reading = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, fortran, dtype = reading[version](file, max_header_size=LONGEST)
    if dtype.hasobject or dtype.kind not in "biufSU":
        raise ValueError(f"values of type {dtype} are neither numbers nor words")
    if fortran and len(shape) > 1:
        raise ValueError("it is stored column by column; save numpy.ascontiguousarray of it instead")
    if not shape or min(shape) < 0:
        raise ValueError(f"it has the shape {shape}")
    return shape, dtype


def _plain(path: Path) -> IO[bytes]:
    return path.open("rb")


@contextmanager
def _from(begin: Callable[[], AbstractContextManager[IO[bytes]]], start: int) -> Iterator[IO[bytes]]:
    with begin() as file:
        _read(file, start)
        yield file


@contextmanager
def _member(path: Path, name: str) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(path) as archive, archive.open(name) as file:
        yield file


def _read(file: IO[bytes], count: int) -> bytes:
    body = bytearray()
    while len(body) < count and (piece := file.read(min(PIECE, count - len(body)))):
        body += piece
    if len(body) < count:
        raise EOFError("it is truncated")
    return bytes(body)

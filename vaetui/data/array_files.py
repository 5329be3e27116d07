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

from vaetui.engine import idx
from vaetui.engine.idx import image_header_shape, read_header
from vaetui.errors import UserError
from vaetui.storage import npz

CHUNK_BYTES = 1 << 24
"""Bytes read at a time."""
MAX_HEADER_BYTES = 1_000
"""Bytes of a head that describes an array."""
READ_ERRORS = (*npz.MALFORMED_FILE_ERRORS, OSError, ValueError, MemoryError, zlib.error)
"""What a damaged or hostile file can bring zipfile, and NumPy's reading of heads, to raise."""


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """An array in a file."""

    display_name: str
    """How a person knows it."""
    shape: tuple[int, ...]
    """Its shape; the first side counts the images."""
    dtype: np.dtype[Any]
    """Its type."""
    open_data: Callable[[], AbstractContextManager[IO[bytes]]]
    """Opens the file where its numbers begin."""

    def iter_chunks(self) -> Iterator[NDArray[Any]]:
        """Read it some images at a time.

        Raises Trouble for a truncated or damaged file.
        """
        each = math.prod(self.shape[1:]) * self.dtype.itemsize
        step = max(CHUNK_BYTES // max(each, 1), 1)
        with translate_read_errors(self.display_name), self.open_data() as file:
            for start in range(0, self.shape[0], step):
                count = min(step, self.shape[0] - start)
                body = _read_exactly(file, count * each)
                yield np.frombuffer(body, self.dtype).reshape(count, *self.shape[1:])

    def read_all(self) -> NDArray[Any]:
        """Read all of it; raises as `pieces` does."""
        return np.concatenate([*self.iter_chunks()]) if self.shape[0] else np.empty(self.shape, self.dtype)


def open_npy(path: Path) -> ArrayFile:
    """Give the array of an npy file, or raise Trouble."""
    begin = partial(_open_binary, path)
    with translate_read_errors(str(path)), begin() as file:
        shape, dtype = _read_npy_header(file)
        start = file.tell()
    return ArrayFile(str(path), shape, dtype, partial(_open_at_offset, begin, start))


def open_npz(path: Path) -> dict[str, ArrayFile]:
    """Give the arrays of an npz file by their names, or raise Trouble."""
    found = {}
    with translate_read_errors(str(path)), zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not info.filename.endswith(".npy"):
                continue
            begin = partial(_open_member, path, info.filename)
            with begin() as file:
                shape, dtype = _read_npy_header(file)
                start = file.tell()
            if info.file_size != start + math.prod(shape) * dtype.itemsize:
                raise ValueError(f"{info.filename} is not as long as its head says")
            name = info.filename.removesuffix(".npy")
            found[name] = ArrayFile(f"{name} in {path}", shape, dtype, partial(_open_at_offset, begin, start))
    return found


def open_idx(path: Path, rank: int) -> ArrayFile:
    """Give the array of an IDX file, gzipped or plain, or raise Trouble."""
    begin = partial(idx.open_idx, path)
    with translate_read_errors(str(path)), begin() as file:
        shape = read_header(file, path, rank)
        start = 4 + 4 * rank
    return ArrayFile(str(path), shape, np.dtype(np.uint8), partial(_open_at_offset, begin, start))


def open_idx_images(path: Path) -> ArrayFile:
    """Give the images, grey or in colour, of an IDX file, gzipped or plain, or raise Trouble."""
    return open_idx(path, len(image_header_shape(path)))


@contextmanager
def translate_read_errors(display_name: str) -> Iterator[None]:
    """Turn what a damaged file raises into Trouble."""
    try:
        yield
    except READ_ERRORS as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise UserError(f"{display_name} cannot be read ({reason}); get it anew.") from error


def _read_npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read the head of an npy file; raises ValueError, among others, for what is none or cannot be read in pieces."""
    version = np.lib.format.read_magic(file)
    reading = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, fortran, dtype = reading[version](file, max_header_size=MAX_HEADER_BYTES)
    if dtype.hasobject or dtype.kind not in "biufSU":
        raise ValueError(f"values of type {dtype} are neither numbers nor words")
    if fortran and len(shape) > 1:
        raise ValueError("it is stored column by column; save numpy.ascontiguousarray of it instead")
    if not shape or min(shape) < 0:
        raise ValueError(f"it has the shape {shape}")
    return shape, dtype


def _open_binary(path: Path) -> IO[bytes]:
    return path.open("rb")


@contextmanager
def _open_at_offset(open_file: Callable[[], AbstractContextManager[IO[bytes]]], offset: int) -> Iterator[IO[bytes]]:
    with open_file() as file:
        _read_exactly(file, offset)
        yield file


@contextmanager
def _open_member(path: Path, member_name: str) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(path) as archive, archive.open(member_name) as file:
        yield file


def _read_exactly(file: IO[bytes], byte_count: int) -> bytes:
    body = bytearray()
    while len(body) < byte_count and (piece := file.read(min(CHUNK_BYTES, byte_count - len(body)))):
        body += piece
    if len(body) < byte_count:
        raise EOFError("it is truncated")
    return bytes(body)

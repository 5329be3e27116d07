"""Arrays in npy, npz and IDX files, read in chunks; nothing is ever unpickled."""

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
from vaetui.engine.idx import read_header, read_image_header_shape
from vaetui.errors import UserError
from vaetui.storage import npz

CHUNK_BYTES = 1 << 24
"""Bytes read at a time."""
READ_ERRORS = (*npz.MALFORMED_FILE_ERRORS, OSError, ValueError, MemoryError, zlib.error)
"""Exceptions that zipfile and NumPy's header parser raise for damaged or hostile files."""


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """An array in a file that is not loaded yet."""

    display_name: str
    """The name used in messages."""
    shape: tuple[int, ...]
    """The shape of the array; axis 0 counts the images."""
    dtype: np.dtype[Any]
    """The type of its elements."""
    open_data: Callable[[], AbstractContextManager[IO[bytes]]]
    """Open the file at the first element."""

    def iter_chunks(self) -> Iterator[NDArray[Any]]:
        """Read the array in chunks of consecutive images; raises UserError if the file is truncated or damaged."""
        item_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        chunk_size = max(CHUNK_BYTES // max(item_bytes, 1), 1)
        with translate_read_errors(self.display_name), self.open_data() as file:
            for start in range(0, self.shape[0], chunk_size):
                count = min(chunk_size, self.shape[0] - start)
                content = _read_exactly(file, count * item_bytes)
                yield np.frombuffer(content, self.dtype).reshape(count, *self.shape[1:])

    def read_all(self) -> NDArray[Any]:
        """Read the whole array; raises UserError if the file is truncated or damaged."""
        return np.concatenate([*self.iter_chunks()]) if self.shape[0] else np.empty(self.shape, self.dtype)


def open_npy(path: Path) -> ArrayFile:
    """Return the array of an npy file; raises UserError if its header is unreadable or unsupported."""
    open_file = partial(_open_binary, path)
    with translate_read_errors(str(path)), open_file() as file:
        shape, dtype = _read_npy_header(file)
        offset = file.tell()
    return ArrayFile(str(path), shape, dtype, partial(_open_at_offset, open_file, offset))


def open_npz(path: Path) -> dict[str, ArrayFile]:
    """Return the arrays of an npz file by name; raises UserError if a header is unreadable or unsupported."""
    arrays = {}
    with translate_read_errors(str(path)), zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not info.filename.endswith(".npy"):
                continue
            open_file = partial(_open_member, path, info.filename)
            with open_file() as file:
                shape, dtype = _read_npy_header(file)
                offset = file.tell()
            if info.file_size != offset + math.prod(shape) * dtype.itemsize:
                raise ValueError(f"the length of {info.filename} differs from its header")
            name = info.filename.removesuffix(".npy")
            arrays[name] = ArrayFile(f"{name} in {path}", shape, dtype, partial(_open_at_offset, open_file, offset))
    return arrays


def open_idx_array(path: Path, rank: int) -> ArrayFile:
    """Return the array of an IDX file, plain or gzipped; raises UserError if its header is invalid."""
    open_file = partial(idx.open_idx, path)
    with translate_read_errors(str(path)), open_file() as file:
        shape = read_header(file, path, rank)
    return ArrayFile(str(path), shape, np.dtype(np.uint8), partial(_open_at_offset, open_file, 4 + 4 * rank))


def open_idx_images(path: Path) -> ArrayFile:
    """Return the images of an IDX file, [N, H, W] or [N, H, W, 3]; raises UserError if its header is invalid."""
    return open_idx_array(path, len(read_image_header_shape(path)))


@contextmanager
def translate_read_errors(display_name: str) -> Iterator[None]:
    """Raise UserError in place of the exceptions that reading a damaged file raises."""
    try:
        yield
    except READ_ERRORS as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise UserError(f"{display_name} cannot be read ({reason}). Check or replace the file.") from error


def _read_npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read an npy header; raises one of READ_ERRORS for arrays that cannot be read in chunks of images."""
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, is_fortran_order, dtype = readers[version](file, max_header_size=1_000)
    if dtype.hasobject or dtype.kind not in "biufSU":
        raise ValueError(f"values of type {dtype} are neither numbers nor strings")
    if is_fortran_order and len(shape) > 1:
        raise ValueError("it is in Fortran order; save numpy.ascontiguousarray(array) instead")
    if not shape or min(shape) < 0:
        raise ValueError(f"it has the unsupported shape {shape}")
    return shape, dtype


def _open_binary(path: Path) -> IO[bytes]:
    return path.open("rb")


@contextmanager
def _open_at_offset(open_file: Callable[[], AbstractContextManager[IO[bytes]]], offset: int) -> Iterator[IO[bytes]]:
    with open_file() as file:
        _read_exactly(file, offset)  # compressed files cannot seek faster than they read
        yield file


@contextmanager
def _open_member(path: Path, member_name: str) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(path) as archive, archive.open(member_name) as file:
        yield file


def _read_exactly(file: IO[bytes], byte_count: int) -> bytes:
    content = bytearray()
    while len(content) < byte_count and (chunk := file.read(min(CHUNK_BYTES, byte_count - len(content)))):
        content += chunk
    if len(content) < byte_count:
        raise EOFError("it is truncated")
    return bytes(content)

"""Arrays in npy, npz and IDX files, read in chunks; nothing is ever unpickled."""

from __future__ import annotations

import math
import os
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from vaetui.engine import idx
from vaetui.engine.idx import read_header, read_image_header_shape
from vaetui.errors import UserError
from vaetui.storage import npz

CHUNK_BYTES = 1 << 22
"""Bytes read at a time."""
READ_ERRORS = (*npz.MALFORMED_FILE_ERRORS, OSError, ValueError, MemoryError, zlib.error)
"""Exceptions that zipfile and NumPy's header parser raise for damaged or hostile files."""
MAX_HEADER_CHARS = 10_000
"""Longest header of an npy file that is parsed, as in numpy.load."""
MAX_MEMBERS = 10_000
"""Most members of an npz file that are listed."""
MAX_COMPRESSION, MIN_BOMB_BYTES = 500, 1 << 30
"""Arrays of at least MIN_BOMB_BYTES that are compressed over MAX_COMPRESSION-fold are refused: images never are."""
MAX_DEFLATE_COMPRESSION = 1_100
"""Deflate shrinks data at most 1,032-fold: a higher ratio of declared sizes is forged."""
IDX_DTYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
"""Types of values by their number in the header of an IDX file."""


class UnsupportedArrayError(Exception):
    """An array that cannot be imported: its type is not supported, or it is damaged."""

    def __init__(self, reason: str, advice: str, *, is_damaged: bool = False) -> None:
        """Store the reason, which completes a sentence that starts with the array's name, and a sentence of advice."""
        super().__init__(f"{reason}. {advice}.")
        self.reason, self.is_damaged = reason, is_damaged


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
    file_axes: tuple[int, ...] = ()
    """For each axis of `shape`, its position in the order of the file, slowest first; empty if they are equal."""

    def transpose(self, axes: Sequence[int]) -> ArrayFile:
        """Return the array with its axes in another order, as numpy.transpose."""
        file_axes = self.file_axes or tuple(range(len(self.shape)))
        return replace(
            self,
            shape=tuple(self.shape[axis] for axis in axes),
            file_axes=tuple(file_axes[axis] for axis in axes),
        )

    def iter_chunks(self) -> Iterator[NDArray[Any]]:
        """Read the array in chunks of consecutive images; raises UserError if the file is truncated or damaged.

        An array in which the images are not stored one after another is read whole.
        """
        item_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        chunk_size = max(CHUNK_BYTES // max(item_bytes, 1), 1)
        file_axes = self.file_axes or tuple(range(len(self.shape)))
        file_shape = [self.shape[file_axes.index(position)] for position in range(len(file_axes))]
        with translate_read_errors(self.display_name), self.open_data() as file:
            whole = None
            if file_axes[0] != 0:
                self._require_memory()
                content = _read_exactly(file, self.shape[0] * item_bytes)
                whole = np.frombuffer(content, self.dtype).reshape(file_shape).transpose(file_axes)
            for start in range(0, self.shape[0], chunk_size):
                count = min(chunk_size, self.shape[0] - start)
                if whole is not None:
                    yield np.ascontiguousarray(whole[start : start + count])
                else:
                    content = _read_exactly(file, count * item_bytes)
                    chunk = np.frombuffer(content, self.dtype).reshape(count, *file_shape[1:])
                    yield np.ascontiguousarray(chunk.transpose(file_axes)) if self.file_axes else chunk
            if file.read(1):  # also makes gzip and zipfile compare their checksums
                raise ValueError("it contains more data than its header declares")

    def read_all(self) -> NDArray[Any]:
        """Read the whole array; raises UserError if the file is truncated or damaged."""
        return np.concatenate([*self.iter_chunks()]) if self.shape[0] else np.empty(self.shape, self.dtype)

    def _require_memory(self) -> None:
        byte_count = math.prod(self.shape) * self.dtype.itemsize
        if 2 * byte_count > os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"):
            raise UserError(
                f"{self.display_name} needs {byte_count / 1e9:,.0f} GB of memory, because its images are not stored "
                "one after another. Save it in C order with the images as its first axis."
            )


@dataclass(frozen=True, slots=True)
class NpzFile:
    """The members of an npz file by name, in their order."""

    arrays: dict[str, ArrayFile] = field(default_factory=dict)
    """Arrays of numbers or text, of any shape."""
    problems: dict[str, UnsupportedArrayError] = field(default_factory=dict)
    """Members that cannot be read."""


@dataclass(frozen=True, slots=True)
class DatasetArrays:
    """The arrays of a dataset."""

    files: tuple[Path, ...]
    """The files that contain them."""
    train_images: ArrayFile
    """The images to label, [N, H, W] or [N, H, W, C]."""
    train_labels: ArrayFile | None = None
    """Their labels, [N] or [N, 1]."""
    test_images: ArrayFile | None = None
    """The test images, of the same size as the training images."""
    test_labels: ArrayFile | None = None
    """Their labels."""
    source: str = ""
    """What was chosen, such as "array x_train of digits.npz, labels y_train"."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Arrays that were not chosen, such as "version in digits.npz", and the reasons."""


def open_npy(path: Path) -> ArrayFile:
    """Return the array of an npy file; raises UserError if it is damaged or unsupported."""
    open_file = partial(_open_binary, path)
    with translate_read_errors(str(path)), open_file() as file:
        shape, is_fortran_order, dtype = _read_npy_header(file)
        offset = file.tell()
        excess_bytes = os.fstat(file.fileno()).st_size - offset - math.prod(shape) * dtype.itemsize
        if excess_bytes < 0:
            raise EOFError("it is truncated")
        if excess_bytes > 0:
            raise UnsupportedArrayError(
                f"contains {excess_bytes:,} bytes after its first array",
                "Save one array in an npy file, or several in an npz file",
            )
    return _build_array(str(path), shape, is_fortran_order, dtype, partial(_open_at_offset, open_file, offset))


def open_npz(path: Path) -> NpzFile:
    """Return the arrays of an npz file; raises UserError if it is no zip file or its directory is damaged."""
    npz_file = NpzFile()
    with translate_read_errors(str(path)), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise UserError(
                f"{path} contains {len(members):,} arrays; at most {MAX_MEMBERS:,} are supported. Save the images as "
                "one array, for example with numpy.stack."
            )
        for member in members:
            name = member.filename.removesuffix(".npy")
            try:
                if name in npz_file.arrays or name in npz_file.problems:
                    raise UnsupportedArrayError(
                        "has the same name as another one", "Save them under different names", is_damaged=True
                    )
                npz_file.arrays[name] = _open_member(path, archive, member)
            except UnsupportedArrayError as error:
                npz_file.arrays.pop(name, None)
                npz_file.problems[name] = error
            except READ_ERRORS as error:
                reason = f"cannot be read ({_shorten_reason(error)})"
                npz_file.problems[name] = UnsupportedArrayError(reason, "Check or replace the file", is_damaged=True)
    return npz_file


def open_idx_array(path: Path, ndim: int) -> ArrayFile:
    """Return the array of an IDX file of bytes, plain or gzipped; raises UserError if its header is invalid."""
    open_file = partial(idx.open_idx, path)
    with translate_read_errors(str(path)), open_file() as file:
        shape = read_header(file, path, ndim)
    return _build_idx_array(path, shape, np.dtype(np.uint8))


def open_idx_images(path: Path) -> ArrayFile:
    """Return the images of an IDX file of bytes, [N, H, W] or [N, H, W, 3]; raises UserError for an invalid header."""
    return open_idx_array(path, len(read_image_header_shape(path)))


def open_idx_file(path: Path) -> ArrayFile:
    """Return the array of an IDX file of any type and shape, plain or gzipped; raises UserError for any other file."""
    open_file = partial(idx.open_idx, path)
    with translate_read_errors(str(path)), open_file() as file:
        magic_number = _read_exactly(file, 4)
        type_number, ndim = magic_number[2:]
        if magic_number[:2] != b"\0\0" or type_number not in IDX_DTYPES or not ndim:
            raise ValueError("its first bytes are not those of an IDX file")
        shape = struct.unpack(f">{ndim}I", _read_exactly(file, 4 * ndim))
    return _build_idx_array(path, shape, np.dtype(IDX_DTYPES[type_number]))


@contextmanager
def translate_read_errors(display_name: str) -> Iterator[None]:
    """Raise UserError in place of the exceptions that reading a damaged, unreadable or unsupported file raises."""
    try:
        yield
    except UnsupportedArrayError as error:
        raise UserError(f"{display_name} {error}") from error
    except MemoryError as error:
        raise UserError(f"{display_name} needs more memory than is available.") from error
    except READ_ERRORS as error:
        is_damaged = not (isinstance(error, OSError) and error.strerror)
        advice = "Check or replace the file." if is_damaged else "Check the path and its permissions."
        raise UserError(f"{display_name} cannot be read ({_shorten_reason(error)}). {advice}") from error


def _build_array(
    display_name: str,
    shape: tuple[int, ...],
    is_fortran_order: bool,
    dtype: np.dtype[Any],
    open_data: Callable[[], AbstractContextManager[IO[bytes]]],
) -> ArrayFile:
    axes = tuple(reversed(range(len(shape)))) if is_fortran_order and len(shape) > 1 else ()
    return ArrayFile(display_name, shape, dtype, open_data, axes)


def _build_idx_array(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> ArrayFile:
    offset = 4 + 4 * len(shape)
    with translate_read_errors(str(path)):
        stored_bytes, declared_bytes = path.stat().st_size, offset + math.prod(shape) * dtype.itemsize
        if path.suffix == ".gz":
            _require_usual_compression(declared_bytes, stored_bytes, is_deflated=True)
        elif stored_bytes < declared_bytes:
            raise EOFError("it is truncated")
    return ArrayFile(str(path), shape, dtype, partial(_open_at_offset, partial(idx.open_idx, path), offset))


def _require_usual_compression(declared_bytes: int, stored_bytes: int, *, is_deflated: bool) -> None:
    """Raise ValueError for sizes that contradict each other, and UnsupportedArrayError for too high compression."""
    compression = declared_bytes / max(stored_bytes, 1)
    if is_deflated and compression > MAX_DEFLATE_COMPRESSION:
        raise ValueError("its header declares more data than it contains")
    if compression > MAX_COMPRESSION and declared_bytes >= MIN_BOMB_BYTES:
        raise UnsupportedArrayError(
            f"is compressed {compression:,.0f}-fold, which images never are", "Save it without compression"
        )


def _open_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> ArrayFile:
    """Return a member of an npz file; raises UnsupportedArrayError or one of READ_ERRORS if it is not usable."""
    if not member.filename.endswith(".npy"):
        raise UnsupportedArrayError("is not an array", "Its name does not end in .npy")
    with archive.open(member) as file:
        shape, is_fortran_order, dtype = _read_npy_header(file)
        offset = file.tell()
    if member.file_size != offset + math.prod(shape) * dtype.itemsize:
        raise ValueError("its length differs from its header")
    _require_usual_compression(
        member.file_size, member.compress_size, is_deflated=member.compress_type == zipfile.ZIP_DEFLATED
    )
    name = member.filename.removesuffix(".npy")
    open_file = partial(_open_archive_member, path, member.filename)
    open_data = partial(_open_at_offset, open_file, offset)
    return _build_array(f"array {name} in {path}", shape, is_fortran_order, dtype, open_data)


def _read_npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether the order is Fortran's, and dtype of an npy file.

    Raises UnsupportedArrayError for values that are neither numbers nor text, or one of READ_ERRORS.
    """
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        reason = "is in version {}.{} of the npy format".format(*version)
        raise UnsupportedArrayError(reason, "Save it with numpy.save as numbers or text, without named fields")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about files of Python 2, which are read correctly
        shape, is_fortran_order, dtype = readers[version](file, max_header_size=MAX_HEADER_CHARS)
    if dtype.hasobject:
        raise UnsupportedArrayError(
            "contains Python objects, which are never loaded",
            "Save it as numbers, or as text with array.astype(str)",
        )
    if dtype.kind == "c":
        raise UnsupportedArrayError("contains complex numbers", "Save real numbers, for example numpy.abs(array)")
    if dtype.kind not in "biufSU" or not dtype.itemsize:
        raise UnsupportedArrayError(f"contains values of type {str(dtype)[:60]}", "Save it as numbers or text")
    if min(shape, default=0) < 0:
        raise ValueError("its header declares a negative length")
    return shape, is_fortran_order, dtype


def _shorten_reason(error: BaseException) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(reason.split())[:100] or type(error).__name__


def _open_binary(path: Path) -> IO[bytes]:
    return path.open("rb")


@contextmanager
def _open_at_offset(open_file: Callable[[], AbstractContextManager[IO[bytes]]], offset: int) -> Iterator[IO[bytes]]:
    with open_file() as file:
        _read_exactly(file, offset)  # compressed files cannot seek faster than they read
        yield file


@contextmanager
def _open_archive_member(path: Path, member_name: str) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(path) as archive, archive.open(member_name) as file:
        yield file


def _read_exactly(file: IO[bytes], byte_count: int) -> bytearray:
    # In small steps, because a damaged header may declare more than fits in memory.
    content = bytearray()
    while len(content) < byte_count and (chunk := file.read(min(CHUNK_BYTES, byte_count - len(content)))):
        content += chunk
    if len(content) < byte_count:
        raise EOFError("it is truncated")
    return content

"""Named arrays as npz files. Shapes and values are checked before memory is allocated; nothing is unpickled."""

from __future__ import annotations

import hashlib
import io
import math
import struct
import tokenize
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

MALFORMED_FILE_ERRORS = (
    *(zipfile.BadZipFile, KeyError, EOFError, NotImplementedError, RuntimeError, struct.error),
    *(SyntaxError, tokenize.TokenError, IndexError, TypeError, OverflowError),
)
"""What zipfile and NumPy's header parser raise for forged files."""
CHUNK_BYTES = 1 << 24
"""Bytes read or written at a time."""
CHUNK_ROWS = 1 << 18
"""Rows whose values are checked at a time, so that a check needs little memory."""
ENTRY_BYTES, LENGTHS_IN_ENTRY_OFFSET = 30, 26
"""Bytes before the name in the header of a zip entry, and where in it the lengths of name and extra field are."""


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """The required form of an array."""

    dtype: DTypeLike
    """Its dtype."""
    axes: str
    """A letter for each axis; axes with the same letter have the same length: "NZ"."""
    index_axis: str = ""
    """For an array of indices: the letter of the axis that they index."""


def encode_npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays as an uncompressed npz file; equal arrays result in equal bytes."""
    return b"".join(iter_npz(arrays))


def iter_npz(arrays: Mapping[str, NDArray[Any]]) -> Iterator[bytes | memoryview]:
    """Yield the parts of an uncompressed npz file, at most CHUNK_BYTES long, without a copy of the arrays."""
    sink = _ChunkSink()
    with zipfile.ZipFile(sink, "w") as archive:  # type: ignore[call-overload]
        for name, array in arrays.items():
            # An entry without a time, so that the bytes depend on the arrays alone.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                contiguous = np.ascontiguousarray(array).reshape(array.shape)
                np.lib.format.write_array_header_1_0(member, np.lib.format.header_data_from_array_1_0(contiguous))
                content = contiguous.reshape(-1).view(np.uint8).data
                for start in range(0, len(content), CHUNK_BYTES):
                    member.write(content[start : start + CHUNK_BYTES])
                    yield from sink.pop()
            yield from sink.pop()
    yield from sink.pop()


def read_npz(
    file: BinaryIO, specs: Mapping[str, ArraySpec], dimensions: Mapping[str, int]
) -> tuple[dict[str, NDArray[Any]], str]:
    """Return the arrays of an npz file, and the SHA-256 of the whole file in hexadecimal digits.

    The file is read once, into the memory of the arrays. `dimensions` are the known lengths of axes by letter; other
    axes only have to agree with each other. Raises ValueError if the arrays do not match the specs.
    """
    lengths = dict(dimensions)
    try:
        with zipfile.ZipFile(file) as archive:
            places = {name: _locate_array(archive, file, name, spec, lengths) for name, spec in specs.items()}
        arrays = {name: np.empty(place.shape, specs[name].dtype) for name, place in places.items()}
    except MALFORMED_FILE_ERRORS as error:
        raise ValueError(str(error)) from error
    digest, position = hashlib.sha256(), 0
    file.seek(0)
    for name, place in sorted(places.items(), key=lambda item: item[1].offset):
        if place.offset < position:
            raise ValueError("arrays overlap")
        _skip(file, digest, place.offset - position)
        content = arrays[name].reshape(-1).view(np.uint8).data
        for start in range(0, len(content), CHUNK_BYTES):
            chunk = content[start : start + CHUNK_BYTES]
            if _read_into(file, chunk) < len(chunk):
                raise ValueError("the file is truncated")
            digest.update(chunk)
        position = place.offset + len(content)
    _skip(file, digest, None)
    for name, array in arrays.items():
        _check_values(array, specs[name], lengths)
    return arrays, digest.hexdigest()


def compute_max_file_bytes(specs: Mapping[str, ArraySpec], dimensions: Mapping[str, int]) -> int:
    """Return an upper bound for the size of an npz file with axes of at most these lengths."""
    array_sizes = (
        math.prod(dimensions[letter] for letter in spec.axes) * np.dtype(spec.dtype).itemsize for spec in specs.values()
    )
    return sum(1_000 + array_size for array_size in array_sizes)  # 1,000 for the headers of zip and npy


class _ChunkSink:
    """The output of a zip archive, which keeps the parts until `pop` returns them."""

    def __init__(self) -> None:
        self._chunks: list[bytes | memoryview] = []

    def write(self, chunk: bytes | memoryview) -> int:
        self._chunks.append(chunk)
        return len(chunk)

    def flush(self) -> None:
        """Do nothing; the archive calls it."""

    def pop(self) -> list[bytes | memoryview]:
        """Return the parts that were written since the last call."""
        chunks, self._chunks = self._chunks, []
        return chunks


class _ArrayPlace(NamedTuple):
    offset: int
    shape: tuple[int, ...]


def _locate_array(
    archive: zipfile.ZipFile, file: BinaryIO, name: str, spec: ArraySpec, dimensions: dict[str, int]
) -> _ArrayPlace:
    """Return where the values of an array begin in the file, and its shape. Nothing of its size is allocated."""
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise ValueError(f"{name} is compressed")
    with archive.open(info) as member:
        if np.lib.format.read_magic(member) != (1, 0):
            raise ValueError("unknown version of the npy format")
        shape, is_fortran_order, dtype = np.lib.format.read_array_header_1_0(member, max_header_size=1_000)
        header_bytes = member.tell()
    if is_fortran_order or dtype != np.dtype(spec.dtype) or len(shape) != len(spec.axes):
        raise ValueError(f"unexpected array of dtype {dtype} and shape {shape}")
    for letter, length in zip(spec.axes, shape, strict=True):
        if not 0 <= length == dimensions.setdefault(letter, length):
            raise ValueError(f"unexpected shape {shape}")
    if header_bytes + math.prod(shape) * dtype.itemsize != info.file_size:
        raise ValueError(f"unexpected size of {name}")
    if info.header_offset + info.file_size > file.seek(0, io.SEEK_END):
        raise ValueError("the file is truncated")
    file.seek(info.header_offset + LENGTHS_IN_ENTRY_OFFSET)
    name_bytes, extra_bytes = struct.unpack("<HH", file.read(4))
    return _ArrayPlace(info.header_offset + ENTRY_BYTES + name_bytes + extra_bytes + header_bytes, shape)


def _read_into(file: BinaryIO, target: memoryview) -> int:
    count = file.readinto(target)  # type: ignore[attr-defined]
    return int(count or 0)


def _skip(file: BinaryIO, digest: hashlib._Hash, count: int | None) -> None:
    """Add the next `count` bytes of a file, or all that remain, to a digest."""
    while count is None or count > 0:
        chunk = file.read(CHUNK_BYTES if count is None else min(CHUNK_BYTES, count))
        if not chunk:
            return
        digest.update(chunk)
        count = None if count is None else count - len(chunk)


def _check_values(array: NDArray[Any], spec: ArraySpec, dimensions: Mapping[str, int]) -> None:
    """Raise ValueError for NaN, infinite values and indices out of range."""
    for start in range(0, len(array), CHUNK_ROWS):
        chunk = array[start : start + CHUNK_ROWS]
        if array.dtype.kind == "f" and not np.isfinite(chunk).all():
            raise ValueError("NaN or infinite values")
    if spec.index_axis and array.size and not 0 <= array.min() <= array.max() < dimensions[spec.index_axis]:
        raise ValueError("indices out of range")

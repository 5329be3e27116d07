"""Named arrays as npz files. Shapes and values are checked before memory is allocated; nothing is unpickled."""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

MALFORMED_FILE_ERRORS = (
    *(zipfile.BadZipFile, KeyError, EOFError, NotImplementedError, RuntimeError),
    *(SyntaxError, tokenize.TokenError, IndexError, TypeError, OverflowError),
)
"""What zipfile and NumPy's header parser raise for forged files."""


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
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def decode_npz(
    content: bytes, specs: Mapping[str, ArraySpec], dimensions: Mapping[str, int]
) -> dict[str, NDArray[Any]]:
    """Return the arrays of an npz file.

    `dimensions` are the known lengths of axes by letter; other axes only have to agree with each other. Raises
    ValueError if the arrays do not match the specs.
    """
    lengths = dict(dimensions)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: _parse_array(_read_member(archive, name), spec, lengths) for name, spec in specs.items()}
    except MALFORMED_FILE_ERRORS as error:
        raise ValueError(str(error)) from error


def compute_max_file_bytes(specs: Mapping[str, ArraySpec], dimensions: Mapping[str, int]) -> int:
    """Return an upper bound for the size of an npz file with axes of at most these lengths."""
    array_sizes = (
        math.prod(dimensions[letter] for letter in spec.axes) * np.dtype(spec.dtype).itemsize for spec in specs.values()
    )
    return sum(1_000 + array_size for array_size in array_sizes)  # 1,000 for the headers of zip and npy


def _read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise ValueError(f"{name} is compressed")
    return archive.read(info)


def _parse_array(content: bytes, spec: ArraySpec, dimensions: dict[str, int]) -> NDArray[Any]:
    buffer = io.BytesIO(content)
    if np.lib.format.read_magic(buffer) != (1, 0):
        raise ValueError("unknown version of the npy format")
    shape, is_fortran_order, dtype = np.lib.format.read_array_header_1_0(buffer, max_header_size=1_000)
    if is_fortran_order or dtype != np.dtype(spec.dtype) or len(shape) != len(spec.axes):
        raise ValueError(f"unexpected array of dtype {dtype} and shape {shape}")
    for letter, length in zip(spec.axes, shape, strict=True):
        if not 0 <= length == dimensions.setdefault(letter, length):
            raise ValueError(f"unexpected shape {shape}")
    array = np.frombuffer(content, dtype, int(np.prod(shape)), buffer.tell()).reshape(shape).copy()
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError("NaN or infinite values")
    if spec.index_axis and array.size and not 0 <= array.min() <= array.max() < dimensions[spec.index_axis]:
        raise ValueError("indices out of range")
    return array

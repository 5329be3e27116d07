"""Named arrays as the bytes of an npz file, and back, with shapes and values looked at before memory is taken.

It does not know what the arrays mean. Nothing is ever unpickled or decompressed.
"""

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
"""What a file that somebody else made can bring zipfile, and NumPy's reading of heads, to raise."""


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """How an array has to be."""

    dtype: DTypeLike
    """Its type."""
    axes: str
    """Its sides by their letters: "NZ"."""
    index_axis: str = ""
    """Of places: the letter of the side that they count along."""


def to_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Write arrays as an npz file, uncompressed, the same bytes for the same arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def from_bytes(
    content: bytes, specs: Mapping[str, ArraySpec], dimensions: Mapping[str, int]
) -> dict[str, NDArray[Any]]:
    """Read what `packed` wrote; `sides` are the lengths that are known, and others have to agree with each other.

    Raises ValueError for what does not have these forms.
    """
    known = dict(dimensions)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            return {name: _parse_array(_read_member(file, name), form, known) for name, form in specs.items()}
    except MALFORMED_FILE_ERRORS as error:
        raise ValueError(str(error)) from error


def max_file_bytes(specs: Mapping[str, ArraySpec], dimensions: Mapping[str, int]) -> int:
    """Tell how many bytes such a file may have, of no more than these sides."""
    sizes = (
        math.prod(dimensions[side] for side in form.axes) * np.dtype(form.dtype).itemsize for form in specs.values()
    )
    return sum(1_000 + size for size in sizes)  # with its two heads


def _read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise ValueError(f"{name} is compressed")
    return archive.read(info)


def _parse_array(content: bytes, spec: ArraySpec, dimensions: dict[str, int]) -> NDArray[Any]:
    head = io.BytesIO(content)
    if np.lib.format.read_magic(head) != (1, 0):
        raise ValueError("another format of arrays")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(head, max_header_size=1_000)
    if fortran or dtype != np.dtype(spec.dtype) or len(shape) != len(spec.axes):
        raise ValueError(f"an array of {dtype} with sides {shape}")
    for letter, length in zip(spec.axes, shape, strict=True):
        if not 0 <= length == dimensions.setdefault(letter, length):
            raise ValueError(f"sides {shape}")
    array = np.frombuffer(content, dtype, int(np.prod(shape)), head.tell()).reshape(shape).copy()
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError("numbers that are none")
    if spec.index_axis and array.size and not 0 <= array.min() <= array.max() < dimensions[spec.index_axis]:
        raise ValueError("places that there are not")
    return array

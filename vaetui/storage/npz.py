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

STRANGE = (
    *(zipfile.BadZipFile, KeyError, EOFError, NotImplementedError, RuntimeError),
    *(SyntaxError, tokenize.TokenError, IndexError, TypeError, OverflowError),
)
"""What a file that somebody else made can bring zipfile, and NumPy's reading of heads, to raise."""


@dataclass(frozen=True, slots=True)
class Form:
    """How an array has to be."""

    dtype: DTypeLike
    """Its type."""
    sides: str
    """Its sides by their letters: "NZ"."""
    below: str = ""
    """Of places: the letter of the side that they count along."""


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Write arrays as an npz file, uncompressed, the same bytes for the same arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def unpacked(content: bytes, forms: Mapping[str, Form], sides: Mapping[str, int]) -> dict[str, NDArray[Any]]:
    """Read what `packed` wrote; `sides` are the lengths that are known, and others have to agree with each other.

    Raises ValueError for what does not have these forms.
    """
    known = dict(sides)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            return {name: _array(_member(file, name), form, known) for name, form in forms.items()}
    except STRANGE as error:
        raise ValueError(str(error)) from error


def largest(forms: Mapping[str, Form], sides: Mapping[str, int]) -> int:
    """Tell how many bytes such a file may have, of no more than these sides."""
    sizes = (math.prod(sides[side] for side in form.sides) * np.dtype(form.dtype).itemsize for form in forms.values())
    return sum(1_000 + size for size in sizes)  # with its two heads


def _member(file: zipfile.ZipFile, name: str) -> bytes:
    info = file.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise ValueError(f"{name} is compressed")
    return file.read(info)


def _array(content: bytes, form: Form, known: dict[str, int]) -> NDArray[Any]:
    head = io.BytesIO(content)
    if np.lib.format.read_magic(head) != (1, 0):
        raise ValueError("another format of arrays")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(head, max_header_size=1_000)
    if fortran or dtype != np.dtype(form.dtype) or len(shape) != len(form.sides):
        raise ValueError(f"an array of {dtype} with sides {shape}")
    for letter, length in zip(form.sides, shape, strict=True):
        if not 0 <= length == known.setdefault(letter, length):
            raise ValueError(f"sides {shape}")
    array = np.frombuffer(content, dtype, int(np.prod(shape)), head.tell()).reshape(shape).copy()
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError("numbers that are none")
    if form.below and array.size and not 0 <= array.min() <= array.max() < known[form.below]:
        raise ValueError("places that there are not")
    return array

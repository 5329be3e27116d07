"""A file of vectors that is not loaded yet, and which shapes and types of arrays are vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.data.array_files import ArrayFile
from vaetui.engine.vectors import VectorArray
from vaetui.errors import UserError
from vaetui.features.feature_sidecar import FeatureSidecar
from vaetui.storage.feature_record import MAX_VECTORS, MAX_WIDTH

MIN_WIDTH = 2
"""Fewest numbers of a vector: vectors are brought to length 1, so that those of one number are all equal."""
MAX_LISTED_NAMES = 8
"""Most arrays or columns that a message lists."""


@dataclass(frozen=True, slots=True)
class FeatureFile:
    """A file of vectors that is not loaded yet."""

    path: Path
    """Its absolute path."""
    name: str
    """The name used in messages, such as "array features of vectors.npz"."""
    count: int
    """Number of vectors, M."""
    width: int
    """Numbers of a vector, D."""
    dtype: np.dtype[Any]
    """Type of the numbers when they are read: float16 or float32."""
    iter_blocks: Callable[[], Iterator[VectorArray]]
    """Read the vectors in blocks [n, D]; raises UserError if the file is damaged."""
    paths: tuple[str, ...] | None = None
    """The path of the image of each vector, as it is written in the file; None if it contains none."""
    test_count: int = 0
    """Number of vectors at the end that are those of test images according to the file."""
    is_mappable: bool = False
    """Whether it is a .npy file of float16 or float32 in C order, which can be used where it is."""
    sidecar: FeatureSidecar | None = None
    """The description of vectors that vaetui computed."""


def build_array_features(array: ArrayFile, path: Path) -> FeatureFile:
    """Return the vectors of an array; raises UserError if it does not contain one vector per row."""
    shape = require_vectors(array.display_name, array.shape, array.dtype)
    dtype = get_float_type(array.dtype)

    def iter_blocks() -> Iterator[VectorArray]:
        for chunk in array.iter_chunks():
            yield to_float(chunk.reshape(len(chunk), shape[1]), dtype)

    return FeatureFile(path, array.display_name, *shape, dtype, iter_blocks)


def require_vectors(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return number and width of the vectors of an array of that shape; raises UserError if they are none.

    Axes of length 1 after the first are left out, as networks produce them: [N, D, 1, 1].
    """
    if dtype.kind not in "biuf":
        kind = "text" if dtype.kind in "SU" else f"values of type {dtype}"
        raise UserError(f"{name} contains {kind}. Pass a file of numbers, one vector per image.")
    lengths = [length for length in shape[1:] if length != 1]
    if len(shape) < 2:
        described = "one number" if not shape else f"the shape {shape}"
        raise UserError(f"{name} has {described}; one vector per image is needed: an array of shape (images, numbers).")
    if len(lengths) > 1:
        is_picture = dtype.kind in "bu" and len(shape) in (3, 4)
        advice = (
            "These look like images: pass them with --data."
            if is_picture
            else "Bring each image to one vector first, for example by the mean over the other axes."
        )
        raise UserError(f"{name} has the shape {shape}; vectors have 2 axes: (images, numbers). {advice}")
    count, width = shape[0], lengths[0] if lengths else 1
    if not count:
        raise UserError(f"{name} contains no vectors. Pass a file with one vector per image.")
    require_width(name, width)
    if count > MAX_VECTORS:
        raise UserError(f"{name} contains {count:,} vectors; at most {MAX_VECTORS:,} are supported.")
    return count, width


def require_width(name: str, width: int) -> None:
    """Raise UserError for vectors of too few or too many numbers."""
    if width < MIN_WIDTH:
        raise UserError(f"{name} has {width} number per image; vectors of at least {MIN_WIDTH} are needed.")
    if width > MAX_WIDTH:
        raise UserError(
            f"{name} has {width:,} numbers per image; at most {MAX_WIDTH:,} are supported. Reduce them, for example by "
            "a principal component analysis."
        )


def get_float_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type that numbers are converted to: float16 stays, all others become float32."""
    return np.dtype(np.float16 if dtype.kind == "f" and dtype.itemsize == 2 else np.float32)


def to_float(values: NDArray[Any], dtype: np.dtype[Any]) -> VectorArray:
    """Return values in a type of this machine's byte order; those above its range become infinite."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values.astype(dtype, copy=False))


def list_names(names: list[str]) -> str:
    """Return the names of arrays or columns for a message, the first ones of many."""
    more = f" and {len(names) - MAX_LISTED_NAMES} more" if len(names) > MAX_LISTED_NAMES else ""
    return ", ".join(names[:MAX_LISTED_NAMES]) + more

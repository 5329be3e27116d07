"""Vectors (features) read from a .npy file, one per image, in memory or mapped from the disk."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Indices
from vaetui.errors import UserError

VectorArray: TypeAlias = "NDArray[np.float16] | NDArray[np.float32]"
"""Vectors, [n, D]."""


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """A selection of the vectors in a file."""

    all_vectors: VectorArray
    """All vectors of the file, [M, D], in memory or mapped."""
    indices: Indices
    """Indices of the selected vectors, [N]."""

    def __len__(self) -> int:
        """Return the number of selected vectors."""
        return len(self.indices)

    def __getitem__(self, indices: Indices | slice) -> NDArray[np.float32]:
        """Return some of the selected vectors as float32, [n, D]."""
        return self.all_vectors[self.indices[indices]].astype(np.float32)

    @property
    def width(self) -> int:
        """Numbers of a vector, D."""
        return self.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one vector: (D,)."""
        return self.all_vectors.shape[1:]

    def subset(self, indices: Indices) -> Vectors:
        """Return a selection of the selected vectors."""
        return Vectors(self.all_vectors, self.indices[indices])


def vectors_from_array(all_vectors: VectorArray) -> Vectors:
    """Return all vectors of an array, [N, D]."""
    return Vectors(all_vectors, np.arange(len(all_vectors)))


def map_vectors(path: Path, count: int, width: int, content: bytearray | None = None) -> Vectors:
    """Map the vectors of a .npy file into memory; no number is read before it is needed.

    They are copied from the `content` of the file if it is given, so that nothing can change them later. Raises
    UserError for a file that is missing, damaged, or not of shape [count, width], float16 or float32 and in C order.
    """
    try:
        # Copy-on-write, though nothing writes: PyTorch warns about read-only memory.
        mmap_mode: Literal["c"] | None = "c" if content is None else None
        array = np.load(path if content is None else io.BytesIO(content), mmap_mode, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path} cannot be read as a .npy file ({error}). Restore the original file.") from error
    is_usable = isinstance(array, np.ndarray) and array.dtype in (np.float16, np.float32) and array.flags.c_contiguous
    if not is_usable or array.shape != (count, width):
        raise UserError(
            f"{path} does not contain {count:,} vectors of {width:,} numbers as float16 or float32. "
            "Restore the original file."
        )
    return vectors_from_array(array)

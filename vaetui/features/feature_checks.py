"""Check vectors block by block: numbers that are not finite, and columns or vectors without any differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.vectors import VectorArray
from vaetui.errors import UserError
from vaetui.features.vector_arrays import FeatureFile

MAX_SQUARED_LENGTH, MIN_SQUARED_LENGTH = 1e36, 1e-20
"""Limits of the squared length of a vector: it must fit into 32 bits, and be so large that vectors can be brought to
length 1, which PyTorch does from a length of 1e-12 on."""
MAX_LISTED_COLUMNS = 5
"""Most columns that a message lists."""
MAX_FLOAT16 = 65_504
"""Largest float16."""


class VectorCheck:
    """The check of the vectors of a file, added in blocks; each problem raises UserError."""

    def __init__(self, feature_file: FeatureFile) -> None:
        """Start without vectors."""
        self.zero_count = 0
        """Number of vectors that are all zeros."""
        self._file = feature_file
        self._minimum: NDArray[Any] = np.full(feature_file.width, np.inf, np.float32)
        self._maximum: NDArray[Any] = np.full(feature_file.width, -np.inf, np.float32)

    def add(self, vectors: VectorArray, find_row: Callable[[int], int]) -> None:
        """Check vectors [n, D]; `find_row` returns the row of the file by the index of a vector among them."""
        if not len(vectors):
            return
        values = vectors.astype(np.float32, copy=False)
        with np.errstate(over="ignore", invalid="ignore"):
            squared_lengths = np.einsum("nd,nd->n", values, values)
        is_usable = (squared_lengths >= MIN_SQUARED_LENGTH) & (squared_lengths <= MAX_SQUARED_LENGTH)
        for index in np.flatnonzero(~is_usable):
            if values[index].any():
                raise UserError(self._explain_row(values[index], find_row(int(index))))
            self.zero_count += 1
        np.minimum(self._minimum, values.min(axis=0), out=self._minimum)
        np.maximum(self._maximum, values.max(axis=0), out=self._maximum)

    def finish(self) -> None:
        """Check what concerns all vectors together."""
        constant_columns = np.flatnonzero(self._minimum == self._maximum)
        if len(constant_columns) == self._file.width:
            raise UserError(f"All vectors of {self._file.name} are equal. Check how they were computed.")
        if len(constant_columns) and self._file.sidecar is None:  # networks of our own have units that are never active
            listed = ", ".join(map(str, constant_columns[:MAX_LISTED_COLUMNS]))
            more = len(constant_columns) - MAX_LISTED_COLUMNS
            listed += f" and {more:,} more" if more > 0 else ""
            noun = "Column" if len(constant_columns) == 1 else "Columns"
            raise UserError(
                f"{noun} {listed} of {self._file.name}, counted from 0, {'is' if noun == 'Column' else 'are'} the same "
                "for all images. Remove such columns: vectors[:, vectors.min(axis=0) < vectors.max(axis=0)]."
            )

    def _explain_row(self, vector: NDArray[Any], row: int) -> str:
        name = self._file.name
        place = (
            f"Row {row:,} of {name[0].lower()}{name[1:]}, counted from 0,"  # "The array" elsewhere starts a sentence
        )
        if self._file.paths is not None:
            place = f"The vector of {self._file.paths[row]} in {self._file.name}"
        if np.isnan(vector).any():
            return f"{place} contains NaN. Compute it again, or remove the image."
        if np.isinf(vector).any():
            limit = f"; float16 ends at {MAX_FLOAT16:,}: save float32" if self._file.dtype == np.float16 else ""
            return f"{place} contains infinity or a number beyond the range of its type{limit}. Compute it again."
        size = "large" if np.abs(vector).max() > 1 else "small"
        return f"{place} has numbers that are too {size} (up to {np.abs(vector).max():.1e}). Scale all vectors first."


def read_checked_blocks(feature_file: FeatureFile) -> Iterator[VectorArray]:
    """Read the vectors of a file in blocks, float32 or float16 [n, D].

    Raises UserError for numbers that are not finite; constant columns are accepted.
    """
    check, first_row = VectorCheck(feature_file), 0
    for block in feature_file.iter_blocks():
        check.add(block, lambda index, start=first_row: start + index)  # type: ignore[misc]
        yield block
        first_row += len(block)

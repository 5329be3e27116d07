"""Random generators derived from the seed and the position in the run.

No generator depends on earlier random numbers, so a run that continues from any step draws the same numbers as an
uninterrupted one. The purposes are part of the result: a changed string changes every run.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np


class BatchPart(NamedTuple):
    """The rows of a batch that a process works on.

    Random numbers are drawn for the whole batch, so that they do not depend on the number of processes.
    """

    batch_count: int
    """The rows of the whole batch."""
    rows: slice
    """Those of this process."""

    @classmethod
    def whole(cls, count: int) -> BatchPart:
        """Return the part that is a whole batch of `count`."""
        return cls(count, slice(count))


def derive_generator(seed: int, purpose: str, *position: int) -> np.random.Generator:
    """Return the generator for one purpose at one position (epoch, step, path, ...) of a run.

    Positions that differ by a trailing 0 may share a stream: NumPy pads seed, purpose and position with
    zeros to four numbers of 32 bits.
    """
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), *position])


def derive_seed(seed: int, purpose: str, *position: int) -> int:
    """Return a seed below 2**31, for libraries that take one."""
    return int(derive_generator(seed, purpose, *position).integers(2**31))

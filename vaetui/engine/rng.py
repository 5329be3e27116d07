"""Random generators derived from the seed and the position in the run.

No generator depends on earlier random numbers, so a run that continues from any step draws the same numbers as an
uninterrupted one. The purposes are part of the result: a changed string changes every run.
"""

from __future__ import annotations

import zlib

import numpy as np


def derive_generator(seed: int, purpose: str, *position: int) -> np.random.Generator:
    """Return the generator for one purpose at one position (epoch, step, path, ...) of a run.

    Positions that differ by a trailing 0 may share a stream: NumPy pads seed, purpose and position with
    zeros to four numbers of 32 bits.
    """
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), *position])


def derive_seed(seed: int, purpose: str, *position: int) -> int:
    """Return a seed below 2**31, for libraries that take one."""
    return int(derive_generator(seed, purpose, *position).integers(2**31))

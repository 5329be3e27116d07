"""Every random draw, from the seed and its place in the run; it keeps no state.

A draw depends on nothing that came before it, so a run that goes on from any step draws what an
uninterrupted one would have drawn.
"""

from __future__ import annotations

import zlib

import numpy as np


def derive_generator(seed: int, purpose: str, *position: int) -> np.random.Generator:
    """Give the generator for one purpose at one place (epoch, step, path, ...) of the run with that seed."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), *position])


def derive_seed(seed: int, purpose: str, *position: int) -> int:
    """Draw a seed below 2**31 for a library that wants one."""
    return int(derive_generator(seed, purpose, *position).integers(2**31))

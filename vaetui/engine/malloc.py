"""Settings of glibc's allocator that keep freed memory for the next batch."""

from __future__ import annotations

import ctypes
import sys


def tune_malloc() -> bool:
    """Make glibc keep freed memory for reuse, and return whether that succeeded.

    A batch allocates and frees about ten megabytes of activations. By default glibc returns such blocks to the system
    at once, and the next batch causes a page fault for every 4 KiB: a sixth of the training time, as measured. Call
    this before the training thread starts, because a thread keeps its first arena.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # not glibc
        return False
    # mallopt(3): M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD and M_TOP_PAD, the last three in bytes.
    parameters = ((-8, 1), (-3, 32 << 20), (-1, 256 << 20), (-2, 16 << 20))
    return all(mallopt(parameter, value) for parameter, value in parameters)

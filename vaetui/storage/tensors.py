"""Networks and optimiser as safetensors; it does not know what the arrays mean, nor where in the run they stand."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from vaetui.errors import UserError


def to_bytes(arrays: dict[str, NDArray[np.float32]]) -> bytes:
    """Write named arrays as the bytes of a file, the same bytes for the same arrays."""
    from safetensors.numpy import save

    return save(arrays)


def from_bytes(content: bytes) -> dict[str, NDArray[np.float32]]:
    """Read what `packed` wrote.

    Raises Trouble for anything else.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)
        if not all(array.dtype == np.float32 and np.isfinite(array).all() for array in arrays.values()):
            raise ValueError("numbers that are none")
        return arrays
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"A checkpoint is damaged ({error}).") from error


def read_position(content: bytes) -> tuple[int, int]:
    """Read from the head of a checkpoint of a format before 3 where it stands in the run: epoch and batch.

    Raises Trouble where it does not tell.
    """
    size = int.from_bytes(content[:8], "little")
    try:
        told = json.loads(content[8 : 8 + size])["__metadata__"]
        return int(told["epoch"]), int(told["step"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError("A checkpoint does not tell its place.") from error

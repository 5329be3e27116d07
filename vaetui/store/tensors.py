"""Networks and optimiser at one place of the run, as safetensors; it does not know what the arrays mean."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaetui.trouble import Trouble


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """All that the next batch depends on, the configuration and the data aside."""

    epoch: int
    """The epoch, from 1; 0 before the first."""
    step: int
    """Batches done in it."""
    arrays: dict[str, NDArray[np.float32]]
    """Networks and optimiser, flattened by name."""


def packed(checkpoint: Checkpoint) -> bytes:
    """Write a checkpoint as the bytes of a file."""
    from safetensors.numpy import save

    place = {"epoch": str(checkpoint.epoch), "step": str(checkpoint.step)}
    return save(checkpoint.arrays, metadata=place)


def unpacked(content: bytes) -> Checkpoint:
    """Read what `packed` wrote.

    Raises Trouble for anything else.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)
        if not all(array.dtype == np.float32 and np.isfinite(array).all() for array in arrays.values()):
            raise ValueError("numbers that are none")
        return Checkpoint(*place(content), arrays)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise Trouble(f"A checkpoint is damaged ({error}).") from error


def place(content: bytes) -> tuple[int, int]:
    """Read from the head of a checkpoint where it stands in the run: epoch and batch; raises ValueError for none."""
    size = int.from_bytes(content[:8], "little")
    head = json.loads(content[8 : 8 + size])
    return int(head["__metadata__"]["epoch"]), int(head["__metadata__"]["step"])

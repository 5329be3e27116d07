"""Networks and optimiser at one place of the run, as safetensors; it does not know what the arrays mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.store import files
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


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint in one piece over the one before."""
    from safetensors.numpy import save as dump

    place = {"epoch": str(checkpoint.epoch), "step": str(checkpoint.step)}
    files.write(path, dump(checkpoint.arrays, metadata=place))


def load(path: Path) -> Checkpoint | None:
    """Read the checkpoint; None where there is none yet.

    Raises Trouble for a damaged one.
    """
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            place = file.metadata()
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        return Checkpoint(int(place["epoch"]), int(place["step"]), arrays)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise Trouble(f"{path} is damaged ({error}).") from error

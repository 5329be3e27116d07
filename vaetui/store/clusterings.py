"""Photographs of rounds and epochs, and what splits made, as npz; it computes nothing from them."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Indices, Pixels, Vectors
from vaetui.store import files
from vaetui.trouble import Trouble


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """The latent space at the beginning of a round, taken in one moment."""

    latents: Vectors
    """Every training image, [N, z_dim]."""
    predicted: NDArray[np.uint8]
    """The class that the classifier gives it, [N]."""
    near: NDArray[np.int32]
    """The place of its centre, [N]."""
    centres: Vectors
    """[K, z_dim]."""
    pictures: Pixels
    """The decoded centres, [K, H, W]."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One cluster cut into parts."""

    near: NDArray[np.int32]
    """For each member, nearest to the old centre first, the place of its new centre, [M]."""
    centres: Vectors
    """[K, z_dim]."""
    pictures: Pixels
    """The decoded centres, [K, H, W]."""


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """Which images are trained on and which are held out, drawn once and kept."""

    train: Indices
    """Places in the file of the training images, ascending, [N]."""
    validation: Indices
    """Likewise of those held out."""
    checksum: NDArray[np.uint8]
    """SHA-256 of the images, [32]."""


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """What the networks made of the held-out images at the end of an epoch."""

    pictures: Pixels
    """The reconstructions, [N, H, W]."""


Kept = TypeVar("Kept", Photograph, Part, Division, Remembered)


def save(path: Path, kept: Photograph | Part | Division | Remembered) -> None:
    """Write the arrays in one piece."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{field.name: getattr(kept, field.name) for field in fields(kept)})
    files.write(path, buffer.getvalue())


def load(path: Path, kind: type[Kept]) -> Kept:
    """Read what `save` wrote.

    Raises Trouble for a missing or damaged file; nothing in it is ever unpickled.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            values: dict[str, Any] = {field.name: arrays[field.name] for field in fields(kind)}
            return kind(**values)
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise Trouble(f"{path} is missing or damaged ({error}).") from error

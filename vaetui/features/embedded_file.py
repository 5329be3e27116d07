"""A complete file of vectors that an image model computed, with the description beside it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaetui.errors import UserError
from vaetui.features.feature_sidecar import FeatureSidecar, read_sidecar
from vaetui.features.feature_store import encode_npy_header

VECTOR_DTYPE = np.dtype("<f2")
"""Type of the numbers: half the memory of float32, and exact to three digits."""


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """Vectors that an image model computed."""

    path: Path
    """The .npy file, float16 [N + T, D]: vectors of the images in their order, then those of test images."""
    sidecar: FeatureSidecar
    """Its description."""


def load_embedded_file(path: Path) -> EmbeddedFile | None:
    """Return a file of vectors with its description; None without one, or if the content is another one."""
    try:
        described = read_sidecar(path)
        if described is None:
            return None
        sidecar = described[0]
        shape = (sidecar.image_count + sidecar.test_count, sidecar.width)
        with path.open("rb") as file:
            if file.read(len(header := encode_npy_header(shape, VECTOR_DTYPE))) != header:
                return None
            file.seek(0)
            if hashlib.file_digest(file, "sha256").hexdigest() != sidecar.sha256:
                return None
    except (UserError, OSError):
        return None
    return EmbeddedFile(path, sidecar)

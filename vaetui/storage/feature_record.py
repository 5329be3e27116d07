"""The file of vectors (features) that a session with features trains on, as its data options record it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaetui.errors import is_printable_text

MAX_WIDTH = 65_536
"""Most numbers of a vector: image models have up to some thousands."""
MAX_VECTORS = 100_000_000
"""Most vectors of a file: more would not fit into the memory of any machine."""
MAX_NAME_CHARS = 4_096
"""Most characters of the name of an image model, which may be a path."""


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """The image model that computed vectors."""

    name: str
    """Name, such as "efficientnet-lite0" or "facebook/dinov2-small", or the directory of the model."""
    version: str
    """SHA-256 of the weights in hexadecimal, or the commit of the repository on the Hugging Face Hub."""
    size: tuple[int, int]
    """Height and width of its input in pixels."""


@dataclass(frozen=True, slots=True)
class FeatureRecord:
    """A file of vectors, one per image."""

    path: str
    """Absolute path of a .npy file, float16 or float32 in C order, [N, D], or [N + T, D] with those of test images."""
    count: int
    """Number of vectors: that of the images, in their order, and then of the test images if they have vectors."""
    width: int
    """Numbers of a vector, D."""
    sha256: str
    """SHA-256 of the whole file in hexadecimal."""
    model: ModelRecord | None = None
    """The image model that computed the vectors; None for vectors from elsewhere."""


def parse_feature_record(values: Any) -> FeatureRecord:
    """Return the record with these JSON values; raises ValueError for any others, as the session may be forged."""
    match values:
        case {
            "path": str(path),
            "count": int(count),
            "width": int(width),
            "sha256": str(sha256),
            "model": model,
            **others,
        } if not others and Path(path).is_absolute() and "\0" not in path:
            is_digest = len(sha256) == 64 and set(sha256) <= set("0123456789abcdef")
            if is_digest and 0 < count <= MAX_VECTORS and 0 < width <= MAX_WIDTH:
                return FeatureRecord(path, count, width, sha256, None if model is None else parse_model_record(model))
    raise ValueError("not a record of vectors")


def parse_model_record(values: Any) -> ModelRecord:
    """Return the record of an image model with these JSON values; raises ValueError for any others."""
    match values:
        case {"name": str(name), "version": str(version), "size": [int(height), int(width)], **others} if not others:
            # The name may be a path with any bytes.
            if (
                is_printable_text(version)
                and len(name + version) <= MAX_NAME_CHARS
                and 0 < height <= MAX_WIDTH
                and 0 < width <= MAX_WIDTH
            ):
                return ModelRecord(name, version, (int(height), int(width)))
    raise ValueError("not a record of an image model")

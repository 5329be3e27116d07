"""The description beside a .npy file of vectors that vaetui computed: its model, its images and its SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vaetui.errors import UserError
from vaetui.storage import atomic_files
from vaetui.storage.atomic_files import translate_os_errors
from vaetui.storage.feature_record import ModelRecord, parse_model_record

FORMAT_PREFIX = "vaetui-features-"
"""Start of the first field of each description."""
FORMAT_NAME = f"{FORMAT_PREFIX}1"
"""First field of each description."""
MAX_PREFIX_BYTES = 100
"""The first field of a description ends before this."""
SIDECAR_SUFFIX, PATHS_SUFFIX = ".json", ".paths.jsonl"
"""Added to the name of the .npy file."""
PATHS_PER_LINE = 1_000
"""Paths in a line of their list: writing them one by one takes several times as long."""


@dataclass(frozen=True, slots=True)
class FeatureSidecar:
    """The description of a file of vectors."""

    model: ModelRecord
    """The image model that computed the vectors."""
    image_count: int
    """Number of images, without test images."""
    test_count: int
    """Number of test images, whose vectors follow."""
    width: int
    """Numbers of a vector."""
    sha256: str
    """SHA-256 of the .npy file in hexadecimal."""
    source: str
    """Absolute path of the images."""
    paths_sha256: str | None = None
    """SHA-256 of the list of the images' paths; None for images of arrays."""


def sidecar_path(path: Path) -> Path:
    """Return the path of the description of a file of vectors."""
    return path.with_name(path.name + SIDECAR_SUFFIX)


def paths_path(path: Path) -> Path:
    """Return the path of the list of the images' paths of a file of vectors."""
    return path.with_name(path.name + PATHS_SUFFIX)


def is_sidecar(path: Path) -> bool:
    """Return whether a file is a description of vectors, of any version of vaetui and intact or not."""
    try:
        return f'"{FORMAT_PREFIX}'.encode() in path.read_bytes()[:MAX_PREFIX_BYTES]
    except OSError:
        return False


def encode_paths(image_paths: Sequence[str]) -> bytes:
    """Return the content of the list of the images' paths, which are relative to the root of the images."""
    chunks = (image_paths[start : start + PATHS_PER_LINE] for start in range(0, len(image_paths), PATHS_PER_LINE))
    return "".join(f"{json.dumps(list(chunk))}\n" for chunk in chunks).encode()


def write_sidecar(path: Path, sidecar: FeatureSidecar, image_paths: Sequence[str] | None) -> FeatureSidecar:
    """Write the description of a complete file of vectors, and the paths of its images if they are files.

    Returns the description with the digest of these paths. Raises UserError if the disk is full.
    """
    if image_paths is not None:
        content = encode_paths(image_paths)
        sidecar = replace(sidecar, paths_sha256=hashlib.sha256(content).hexdigest())
        atomic_files.replace_file(paths_path(path), content)
    atomic_files.replace_file(
        sidecar_path(path), json.dumps({"format": FORMAT_NAME, **asdict(sidecar)}, indent=2).encode() + b"\n"
    )
    return sidecar


def read_sidecar(path: Path) -> tuple[FeatureSidecar, tuple[str, ...] | None] | None:
    """Return the description of a file of vectors and the paths of its images; None if it has no description.

    The SHA-256 of the vectors is not compared here. Raises UserError if the description or the list is damaged.
    """
    description_path = sidecar_path(path)
    advice = f"Compute the vectors again, or remove {description_path.name} to use them without their paths."
    try:
        content = description_path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{description_path} cannot be read ({error.strerror}). {advice}") from error
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or not str(fields.get("format", "")).startswith(FORMAT_PREFIX):
        return None  # a file of another program
    sidecar = _parse_sidecar(fields)
    if sidecar is None:
        raise UserError(f"{description_path} is damaged or from another version of vaetui. {advice}")
    if sidecar.paths_sha256 is None:
        return sidecar, None
    list_path = paths_path(path)
    with translate_os_errors(list_path):
        list_content = list_path.read_bytes()
    if hashlib.sha256(list_content).hexdigest() != sidecar.paths_sha256:
        raise UserError(f"{list_path} does not belong to {path.name}. {advice}")
    paths = _parse_paths(list_content)
    if paths is None or len(paths) != sidecar.image_count + sidecar.test_count:
        raise UserError(f"{list_path} does not name one image for each vector. {advice}")
    return sidecar, paths


def _parse_paths(content: bytes) -> tuple[str, ...] | None:
    try:
        lists = [json.loads(line) for line in content.splitlines()]
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(paths, list) and all(isinstance(path, str) for path in paths) for paths in lists):
        return None
    return tuple(path for paths in lists for path in paths)


def _parse_sidecar(fields: dict[str, Any]) -> FeatureSidecar | None:
    match fields:
        case {
            "format": format_name,
            "model": model,
            "image_count": int(image_count),
            "test_count": int(test_count),
            "width": int(width),
            "sha256": str(sha256),
            "source": str(source),
            "paths_sha256": str() | None as paths_sha256,
        } if format_name == FORMAT_NAME and min(image_count, test_count) >= 0:
            with suppress(ValueError):
                model_record = parse_model_record(model)
                return FeatureSidecar(model_record, image_count, test_count, width, sha256, source, paths_sha256)
    return None

"""Files of vectors that vaetui wrote itself, in a directory beside the sessions that share them."""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Indices
from vaetui.storage import atomic_files
from vaetui.storage.atomic_files import translate_os_errors
from vaetui.storage.locations import features_directory

MIN_UNUSED_AGE_S = 3_600.0
"""An unused file younger than this is kept: a session may be about to start with it."""
DIGEST_CHARS = 24
"""Characters of the SHA-256 that name a file."""


def create_features_directory() -> Path:
    """Return the directory of all stored vectors, and create it if necessary."""
    directory = features_directory()
    with translate_os_errors(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def encode_npy_header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    """Return the header of a .npy file in C order."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    )
    return header.getvalue()


class FeatureWriter:
    """Write vectors to a file of the store that is named after its content, so that equal vectors share one file."""

    def __init__(self, count: int, width: int, dtype: np.dtype[Any]) -> None:
        """Set the shape [count, width] and the type of the numbers."""
        self.sha256 = ""
        """SHA-256 of the file in hexadecimal, once it is complete."""
        self.path = Path()
        """The path of the file, once it is complete."""
        self._header = encode_npy_header((count, width), dtype)
        self._dtype, self._row_bytes = dtype, width * dtype.itemsize

    def __enter__(self) -> FeatureWriter:
        """Open the file."""
        directory = create_features_directory()
        self._partial_path = directory / f".{os.getpid()}-{time.monotonic_ns()}{atomic_files.PARTIAL_SUFFIX}"
        with translate_os_errors(self._partial_path):
            self._file = atomic_files.open_for_writing(self._partial_path, os.O_TRUNC)
            self._file.write(self._header)
            self._file.flush()
        return self

    def write(self, positions: Indices, vectors: NDArray[Any]) -> None:
        """Write vectors [n, width] to their positions in the file [n]; raises UserError if the disk is full."""
        order = np.argsort(positions, kind="stable")
        sorted_positions = positions[order]
        ends = [*(np.flatnonzero(np.diff(sorted_positions) != 1) + 1).tolist(), len(positions)]
        start = 0
        with translate_os_errors(self._partial_path):
            for end in ends:  # runs of consecutive positions
                content = np.ascontiguousarray(vectors[order[start:end]], self._dtype).data.cast("B")
                offset = len(self._header) + int(sorted_positions[start]) * self._row_bytes
                while content:
                    written = os.pwrite(self._file.fileno(), content, offset)
                    content, offset = content[written:], offset + written
                start = end

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        """Rename the complete file; remove it after an error."""
        try:
            with translate_os_errors(self._partial_path), self._file:
                if error_type is None:
                    os.fsync(self._file.fileno())
            if error_type is None:
                with translate_os_errors(self._partial_path), self._partial_path.open("rb") as file:
                    self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                self.path = features_directory() / f"{self.sha256[:DIGEST_CHARS]}.npy"
                with translate_os_errors(self.path):
                    self._partial_path.replace(self.path)
                    atomic_files.sync_directory(self.path.parent)
        finally:
            self._partial_path.unlink(missing_ok=True)


def remove_unused_features(used_paths: Iterable[Path]) -> None:
    """Remove the stored vectors that no session uses, with the files that belong to them, except recent ones."""
    used_names = {path.name for path in used_paths if path.parent == features_directory()}
    for path in features_directory().glob("*"):
        # Files beside `<name>.npy` start with its name: its description and what an unfinished computation left.
        if not any(path.name.startswith(name) for name in used_names):
            with suppress(OSError):
                if path.lstat().st_mtime < time.time() - MIN_UNUSED_AGE_S:
                    path.unlink()

"""Load the vectors of a session with features, after their file is verified."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaetui.engine.clusters import Indices
from vaetui.engine.events import Progress
from vaetui.engine.images import CHUNK_BYTES
from vaetui.engine.vectors import Vectors, map_vectors
from vaetui.errors import UserError
from vaetui.storage.feature_record import FeatureRecord

MIN_MMAP_BYTES = 1 << 26
"""Files of vectors of at least this size are mapped; smaller ones are read, so nothing can change them later."""


class VectorsLostError(UserError):
    """The file of vectors is missing or changed; the images may be intact."""

    def __init__(self, path: str, problem: str) -> None:
        """Describe the file by a problem, the rest of a sentence: "is missing"."""
        super().__init__(f"{path} {problem}; restore the original file, no answer is lost.")
        self.problem = problem
        """What is wrong with the file."""


@dataclass(frozen=True, slots=True, eq=False)
class SessionVectors:
    """The vectors of a session, in the order of its images."""

    train: Vectors
    """Vectors of the training images."""
    validation: Vectors
    """Vectors of the validation images."""
    test: Vectors | None
    """Vectors of the test images; None if they have none."""


def load_vectors(
    record: FeatureRecord, train_indices: Indices, validation_indices: Indices, test_count: int | None
) -> Generator[Progress, None, SessionVectors]:
    """Verify the file of vectors and read it or map it into memory; yields Progress.

    `test_count` is the number of test images, None without any; they follow the others in the file, or have no vectors.
    Raises VectorsLostError for a file that is missing, cannot be read or has changed.
    """
    content = yield from verify_vectors(record)
    vectors = map_vectors(Path(record.path), record.count, record.width, content)
    image_count = len(train_indices) + len(validation_indices)
    if record.count < image_count:
        raise VectorsLostError(record.path, f"has {record.count:,} vectors for {image_count:,} images")
    test = None
    if test_count is not None and record.count == image_count + test_count:
        test = vectors.subset(np.arange(image_count, record.count))
    return SessionVectors(vectors.subset(train_indices), vectors.subset(validation_indices), test)


def verify_vectors(record: FeatureRecord) -> Generator[Progress, None, bytearray | None]:
    """Compare the file of vectors with its digest; yields Progress and returns the content of a small file.

    Raises VectorsLostError as `load_vectors`.
    """
    digest, read_bytes, content = hashlib.sha256(), 0, bytearray()
    try:
        # What is not a regular file may have no end, or wait for another process.
        with open(os.open(record.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise VectorsLostError(record.path, "is not a regular file")
            total = status.st_size
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                read_bytes += len(chunk)
                if total < MIN_MMAP_BYTES:
                    content += chunk
                yield Progress("verifying the vectors", read_bytes, max(total, read_bytes))
    except FileNotFoundError as error:
        raise VectorsLostError(record.path, "is missing") from error
    except OSError as error:
        raise VectorsLostError(record.path, f"cannot be read ({error.strerror})") from error
    if digest.hexdigest() != record.sha256:
        raise VectorsLostError(record.path, "changed since the session was created")
    return content or None

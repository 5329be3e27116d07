"""The unfinished file of vectors of a run that may be killed at any time, and what the next run needs to go on.

Beside FILE.npy lie FILE.npy.part, the vectors so far, FILE.npy.part.json, how much of them is certainly on the disk,
and FILE.npy.part.images, what the import made of the files so far, so that no file is decoded again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.data.parallel_decoding import DecodedBatch, FileResult
from vaetui.errors import UserError
from vaetui.features.embedded_file import VECTOR_DTYPE
from vaetui.features.feature_store import encode_npy_header
from vaetui.storage import atomic_files
from vaetui.storage.atomic_files import translate_os_errors

SAVE_INTERVAL_S = 5.0
"""Time between two states: at most this much work is lost."""


@dataclass(frozen=True, slots=True)
class _Boundary:
    """A point after a decoded batch of files."""

    image_count: int
    """Images of all files before it."""
    file_count: int
    """Files before it."""
    decoded_bytes: int
    """Length of the record of their images."""


class PartialVectors:
    """Vectors that are appended in order, each with the state of the decoding that they came from."""

    def __init__(self, output: Path, identity: str, batch_images: int) -> None:
        """Open the unfinished vectors of an earlier run with the same identity, or start new ones.

        The identity is a digest of everything that the vectors depend on. Raises UserError if the files cannot be
        written.
        """
        self.row_count = 0
        """Vectors written so far."""
        self.width = 0
        """Numbers of a vector; 0 before the first one."""
        self.row_count_at_start = 0
        """Vectors of the earlier run."""
        self._output, self._batch_images = output, batch_images
        self._path, self._state_path, self._images_path = list_partial_paths(output)
        self._boundaries = [_Boundary(0, 0, 0)]
        self._saved_at = time.monotonic()
        self._identity = identity
        with translate_os_errors(self._path):
            self._vectors = _lock_file(self._path, output)
            self._images = _open_for_update(self._images_path)
            can_go_on = self._load_state(identity)
            self._vectors.truncate(self._vector_bytes if can_go_on else 0)
            self._images.truncate(self._boundaries[0].decoded_bytes)
            for file in (self._vectors, self._images):
                file.seek(0, os.SEEK_END)

    @property
    def resumed_file_count(self) -> int:
        """Files at the start that need not be decoded again."""
        return self._boundaries[0].file_count

    @property
    def resumed_image_count(self) -> int:
        """Images of these files."""
        return self._boundaries[0].image_count

    @property
    def _vector_bytes(self) -> int:
        """Length of the file of vectors."""
        header = encode_npy_header((0, self.width), VECTOR_DTYPE)  # the length does not depend on the number of rows
        return len(header) + self.row_count * self.width * VECTOR_DTYPE.itemsize

    def replay_images(self, shape: tuple[int, ...]) -> Iterator[DecodedBatch]:
        """Yield what `record_images` got in the earlier run, for images of that shape; nothing if it got nothing.

        The files after these have to be decoded again.
        """
        end, image_count, file_count = self._boundaries[0].decoded_bytes, 0, 0
        self._images.seek(0)
        if end == 0 or json.loads(self._images.readline()) != list(shape):
            self._images.seek(0)
            self._images.truncate()
            self._images.write(f"{json.dumps(shape)}\n".encode())
        else:
            while self._images.tell() < end:
                results = [_parse_result(fields) for fields in json.loads(self._images.readline())]
                count = sum(result.image_count for result in results)
                content = self._images.read(count * math.prod(shape))
                yield np.frombuffer(content, np.uint8).reshape(count, *shape), results
                image_count, file_count = image_count + count, file_count + len(results)
        self._boundaries = [_Boundary(image_count, file_count, self._images.tell())]

    def record_images(self, batch: DecodedBatch) -> None:
        """Keep what the import needs of decoded files, whose vectors will follow."""
        pixels, results = batch
        with translate_os_errors(self._images_path):
            self._images.write(f"{json.dumps([_encode_result(result) for result in results])}\n".encode())
            self._images.write(np.ascontiguousarray(pixels).tobytes())

    def add_boundary(self, image_count: int, file_count: int) -> None:
        """Note that the files before `file_count` have `image_count` images, and that they were recorded, if at all."""
        self._boundaries.append(_Boundary(image_count, file_count, self._images.tell()))

    def add_vectors(self, vectors: NDArray[np.float16]) -> None:
        """Append vectors [n, D]."""
        with translate_os_errors(self._path):
            if not self.width:
                self.width = vectors.shape[1]
                self._vectors.write(encode_npy_header((0, self.width), VECTOR_DTYPE))
            self._vectors.write(vectors.astype(VECTOR_DTYPE, copy=False).tobytes())
        self.row_count += len(vectors)
        if time.monotonic() > self._saved_at + SAVE_INTERVAL_S:
            self.save()

    def save(self) -> None:
        """Make sure that everything so far survives a power cut."""
        rows = self.row_count - self.row_count % self._batch_images  # the next run starts with the same batch
        while len(self._boundaries) > 1 and self._boundaries[1].image_count <= rows:
            del self._boundaries[0]
        boundary = self._boundaries[0]
        state = {
            "identity": self._identity,
            "rows": rows,
            "width": self.width,
            "boundary": [boundary.image_count, boundary.file_count, boundary.decoded_bytes],
        }
        with translate_os_errors(self._path):
            for file in (self._vectors, self._images):
                file.flush()
                os.fsync(file.fileno())
            atomic_files.replace_file(self._state_path, json.dumps(state).encode())
        self._saved_at = time.monotonic()

    def complete(self) -> str:
        """Write the final header, and return the SHA-256 of the file in hexadecimal."""
        with translate_os_errors(self._path):
            self._vectors.seek(0)
            self._vectors.write(encode_npy_header((self.row_count, self.width), VECTOR_DTYPE))
            self._vectors.flush()
            os.fsync(self._vectors.fileno())
            self._vectors.seek(0)
            return hashlib.file_digest(self._vectors, "sha256").hexdigest()

    def publish(self) -> None:
        """Remove the other files, and rename the complete one; another process may then start with new files."""
        with translate_os_errors(self._output):
            for path in (self._state_path, self._images_path):
                path.unlink(missing_ok=True)
            self._path.replace(self._output)
            atomic_files.sync_directory(self._output.parent)
        self._close_files()

    def close(self) -> None:
        """Close the files, which stay for the next run, unless a full disk has prevented the first state."""
        if not self._vectors.closed and not self._state_path.exists():
            self.remove()
        self._close_files()

    def remove(self) -> None:
        """Remove the files."""
        for path in (self._state_path, self._images_path, self._path):
            with suppress(OSError):
                path.unlink(missing_ok=True)
        self._close_files()

    def _close_files(self) -> None:
        for file in (self._vectors, self._images):
            with suppress(OSError):  # what cannot be written is computed again
                file.close()

    def _load_state(self, identity: str) -> bool:
        """Read the state of an earlier run; return whether it can go on."""
        try:
            state = json.loads(self._state_path.read_bytes())
            rows, width, boundary = int(state["rows"]), int(state["width"]), _Boundary(*map(int, state["boundary"]))
            self.row_count, self.width = rows, width
            is_usable = (
                state["identity"] == identity
                and rows % self._batch_images == 0
                and width > 0
                and boundary.image_count <= rows
                and self._path.stat().st_size >= self._vector_bytes
                and self._images_path.stat().st_size >= boundary.decoded_bytes
            )
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            is_usable = False
        if not is_usable:
            self.row_count = self.width = 0
            return False
        self._boundaries = [boundary]
        self.row_count_at_start = rows
        return True


def list_partial_paths(output: Path) -> tuple[Path, Path, Path]:
    """Return the paths of the unfinished vectors, their state and the record of their images."""
    part = output.with_name(f"{output.name}.part")
    return part, part.with_name(f"{part.name}.json"), part.with_name(f"{part.name}.images")


def compute_identity(fields: list[Any]) -> str:
    """Return a digest of everything that vectors depend on."""
    return hashlib.sha256(json.dumps(fields).encode("utf-8", "surrogateescape")).hexdigest()


def _lock_file(path: Path, output: Path) -> BufferedRandom:
    """Open and lock the unfinished vectors; raises UserError if another process computes them."""
    while True:
        file = _open_for_update(path)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise UserError(f"Another process is computing {output}. Wait for it, or stop it.") from error
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.lstat()):
                return file
        file.close()  # the other process completed or removed it before the lock


def _open_for_update(path: Path) -> BufferedRandom:
    """Open a file, which may be new, without following a link."""
    return open(os.open(path, os.O_RDWR | os.O_CREAT | atomic_files.NOFOLLOW_FLAG, 0o666), "r+b")


def _encode_result(result: FileResult) -> list[Any]:
    return [result.pages, result.skipped_pages, result.size, result.skip_reason, sorted(result.kinds)]


def _parse_result(fields: list[Any]) -> FileResult:
    pages, skipped_pages, size, skip_reason, kinds = fields
    return FileResult(
        None if pages is None else tuple(pages),
        tuple((page, reason) for page, reason in skipped_pages),
        None if size is None else (size[0], size[1]),
        skip_reason,
        frozenset(kinds),
    )

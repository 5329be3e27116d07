"""Sets of decoded images that sessions share, each made once; it does not know what was decoded.

A set is a directory of IDX files, as any other data set, with a line for each file that was looked at.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from vaetui.storage import atomic_files, locations
from vaetui.storage.atomic_files import translate_os_errors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_UNUSED_AGE_S = 3_600.0
"""Seconds for which a set is new."""
METADATA_NAME, SOURCE_FILES_NAME, SKIPPED_FILES_NAME = "set.json", "files.jsonl", "skipped.txt"


@dataclass(frozen=True, slots=True)
class DatasetOrigin:
    """Where a set comes from."""

    source_path: str
    """What a person named."""
    import_options: dict[str, Any]
    """How they wanted it."""
    class_names: tuple[str, ...] | None
    """The names of the classes, where there are any."""
    root_path: str | None
    """What the names of files are relative to, where each is one image."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was looked at."""

    relative_path: str
    """Its path, relative to where the set comes from."""
    size_bytes: int
    """Its bytes."""
    modified_ns: int
    """When it changed last, in nanoseconds since 1970."""
    skip_reason: str | None = None
    """Why it was skipped, None where it was not."""


def datasets_directory() -> Path:
    """Give the directory of all sets."""
    return locations.sessions_directory().parent / "sets"


def dataset_directory(key: str) -> Path:
    """Give the directory of the set that has that key."""
    return datasets_directory() / key


@contextmanager
def create_dataset_atomically(key: str, replace_existing: bool = False) -> Iterator[Path]:
    """Give an empty directory that becomes the set when it is whole; `anew` in the place of one that is there."""
    made = dataset_directory(key)
    beginning, former = (made.with_name(f".{key}-{os.getpid()}{end}") for end in ("", "-former"))
    with translate_os_errors(made):
        made.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(beginning, ignore_errors=True)
        beginning.mkdir(mode=0o700)
    try:
        yield beginning
        with translate_os_errors(made):
            if replace_existing or load_origin(made) is None:
                atomic_files.sync_directory(beginning)
                if made.exists():
                    made.rename(former)
                beginning.rename(made)
                atomic_files.sync_directory(made.parent)
    finally:
        shutil.rmtree(beginning, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)


def write_metadata(directory: Path, origin: DatasetOrigin, source_files: Iterable[SourceFile]) -> None:
    """Write where a set that is being made comes from, and what was looked at."""
    source_files = list(source_files)
    lines = (
        json.dumps([it.relative_path, it.size_bytes, it.modified_ns, it.skip_reason]) + "\n" for it in source_files
    )
    atomic_files.write(directory / SOURCE_FILES_NAME, (line.encode() for line in lines))
    skipped = "".join(f"{it.relative_path} {it.skip_reason}\n" for it in source_files if it.skip_reason)
    atomic_files.write(directory / SKIPPED_FILES_NAME, skipped.encode())
    about = {**asdict(origin), "metadata_digest": _metadata_digest(directory)}
    atomic_files.write(directory / METADATA_NAME, json.dumps(about).encode())


def load_origin(directory: Path) -> DatasetOrigin | None:
    """Tell where a set comes from; None for a directory that a person made."""
    try:
        return parse_origin(json.loads((directory / METADATA_NAME).read_bytes()))
    except (OSError, ValueError):
        return None


def parse_origin(fields: Any) -> DatasetOrigin:
    """Read what `asdict` made of an origin.

    Raises ValueError for what it would not have made: the file may be damaged, or a stranger's.
    """
    try:
        path, wish, classes, root = (
            fields[name] for name in ("source_path", "import_options", "class_names", "root_path")
        )
    except (LookupError, TypeError):
        raise ValueError("no origin") from None
    if not (isinstance(path, str) and isinstance(wish, dict) and isinstance(classes, list | None)):
        raise ValueError("an origin of another form")
    if not isinstance(root, str | None):
        raise ValueError("a root that is no path")
    return DatasetOrigin(path, wish, None if classes is None else tuple(map(str, classes)), root)


def load_source_files(directory: Path) -> list[SourceFile]:
    """List what was looked at; nothing for what was no set of files."""
    try:
        with (directory / SOURCE_FILES_NAME).open(encoding="utf-8") as file:
            return [SourceFile(*json.loads(line)) for line in file]
    except (OSError, ValueError, TypeError):
        return []


def is_intact(directory: Path) -> bool:
    """Tell whether a set still says where it comes from, what was looked at, and which labels it has."""
    try:
        about = json.loads((directory / METADATA_NAME).read_bytes())
        parse_origin(about)
        return bool(about.get("metadata_digest", "") in ("", _metadata_digest(directory)))  # older sets did not tell
    except (OSError, ValueError):
        return False


def remove_unused_datasets(used_directories: Iterable[Path]) -> None:
    """Remove the sets that nobody uses any more, but for new ones: a session may be about to begin with them."""
    kept = set(used_directories)
    for each in datasets_directory().glob("*"):
        if each not in kept and each.stat().st_mtime < time.time() - MIN_UNUSED_AGE_S:
            shutil.rmtree(each, ignore_errors=True)


class IdxWriter:
    """An IDX file of bytes that is written piece by piece; how many there are is told at the end."""

    def __init__(self, path: Path, item_shape: tuple[int, ...]) -> None:
        """Begin the file of arrays that have these sides each."""
        self.count = 0
        """How many were added so far."""
        self._path, self._item_shape = path, item_shape

    def __enter__(self) -> IdxWriter:
        """Open the file."""
        with translate_os_errors(self._path):
            self._file = atomic_files.open_for_writing(self._path, os.O_TRUNC)
            self._file.write(self._header())
        return self

    def add(self, arrays: NDArray[np.uint8]) -> None:
        """Add arrays [n, ...]."""
        with translate_os_errors(self._path):
            self._file.write(arrays.tobytes())
        self.count += len(arrays)

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, error_traceback: TracebackType | None
    ) -> None:
        """Tell how many there are, and close the file."""
        with translate_os_errors(self._path), self._file:
            if error_type is None:
                self._file.seek(0)
                self._file.write(self._header())
                self._file.flush()
                os.fsync(self._file.fileno())

    def _header(self) -> bytes:
        shape = (self.count, *self._item_shape)
        return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)


def _metadata_digest(directory: Path) -> str:
    """Give the SHA-256 of all that is told of the images; their own are known to the sessions that use them."""
    digest = hashlib.sha256()
    for path in [directory / SOURCE_FILES_NAME, *sorted(directory.glob("*-labels-*"))]:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()

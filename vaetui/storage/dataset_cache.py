"""Imported images that sessions share: a directory of IDX files each, with a description of the source."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vaetui.storage import atomic_files, locations
from vaetui.storage.atomic_files import translate_os_errors
from vaetui.storage.import_report import ImportReport, parse_import_report

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_UNUSED_AGE_S = 3_600.0
"""An unused dataset younger than this is kept: a session may be about to start with it."""
METADATA_NAME, SOURCE_FILES_NAME, SKIPPED_FILES_NAME = "dataset.json", "source_files.jsonl", "skipped.txt"


@dataclass(frozen=True, slots=True)
class DatasetOrigin:
    """What a dataset was imported from."""

    source_path: str
    """The path that the user named."""
    import_options: dict[str, Any]
    """The options of the import."""
    class_names: tuple[str, ...] | None
    """The names of the classes; None without labels."""
    root_path: str | None
    """The directory that file names are relative to; None unless each image is a file."""
    report: ImportReport
    """What the import took and left out; the session's images were scaled by its value ranges."""


class SourceFile(NamedTuple):
    """A file that the import examined."""

    relative_path: str
    """Its path relative to the root."""
    size_bytes: int
    """Its length."""
    modified_ns: int
    """Its modification time in nanoseconds since 1970."""
    skip_reason: str | None = None
    """Why it was skipped; None if it was imported."""
    pages: tuple[int, ...] | None = None
    """The imported pages of a file of several pages, from 0; None for a file with one image."""

    def list_image_paths(self) -> list[str]:
        """Return a path for each imported image: the file, or "file#page" for each page."""
        if self.skip_reason is not None:
            return []
        return [self.relative_path] if self.pages is None else [f"{self.relative_path}#{n}" for n in self.pages]


def datasets_directory() -> Path:
    """Return the directory of all datasets."""
    return locations.sessions_directory().parent / "datasets"


def dataset_directory(key: str) -> Path:
    """Return the directory of the dataset with that key."""
    return datasets_directory() / key


@contextmanager
def create_dataset_atomically(key: str, replace_existing: bool = False) -> Iterator[Path]:
    """Yield an empty directory that becomes the dataset when the block ends without an error.

    An existing dataset with that key stays, unless it is damaged or `replace_existing` is set.
    """
    directory = dataset_directory(key)
    unfinished, previous = (directory.with_name(f".{key}-{os.getpid()}{suffix}") for suffix in ("", "-previous"))
    with translate_os_errors(directory):
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
    try:
        yield unfinished
        with translate_os_errors(directory):
            if replace_existing or load_origin(directory) is None:
                atomic_files.sync_directory(unfinished)
                if directory.exists():
                    directory.rename(previous)
                unfinished.rename(directory)
                atomic_files.sync_directory(directory.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(previous, ignore_errors=True)


def write_metadata(directory: Path, origin: DatasetOrigin, source_files: Sequence[SourceFile]) -> None:
    """Write the origin of a new dataset and the list of its source files; label files have to be there already."""
    atomic_files.replace_file(
        directory / SOURCE_FILES_NAME, (f"{json.dumps(file)}\n".encode() for file in source_files)
    )
    skipped = "".join(f"{file.relative_path} {file.skip_reason}\n" for file in source_files if file.skip_reason)
    atomic_files.replace_file(directory / SKIPPED_FILES_NAME, skipped.encode())
    atomic_files.replace_file(directory / METADATA_NAME, _encode_metadata(directory, origin))


def load_origin(directory: Path) -> DatasetOrigin | None:
    """Return the origin of a dataset; None if its description is missing or damaged."""
    try:
        return parse_origin(json.loads((directory / METADATA_NAME).read_bytes()))
    except (OSError, ValueError, RecursionError):
        return None


def parse_origin(fields: Any) -> DatasetOrigin:
    """Return the origin that `asdict` turned into fields; raises ValueError for anything else: it may be forged."""
    match fields:
        case {
            "source_path": str(source_path),
            "import_options": dict(options),
            "class_names": list() | None as names,
            "root_path": str() | None as root_path,
            "report": report,
        }:
            class_names = None if names is None else tuple(map(str, names))
            return DatasetOrigin(source_path, options, class_names, root_path, parse_import_report(report))
    raise ValueError("not the origin of a dataset")


def load_source_files(directory: Path) -> list[SourceFile]:
    """Return the source files of a dataset; an empty list if their file is missing or damaged."""
    try:
        with (directory / SOURCE_FILES_NAME).open(encoding="utf-8") as file:
            files = [SourceFile(*json.loads(line)) for line in file]
        return [file._replace(pages=file.pages and tuple(file.pages)) for file in files]
    except (OSError, ValueError, TypeError):
        return []


def is_metadata_intact(directory: Path) -> bool:
    """Return whether origin, source files and labels are as written; each session stores the digest of the images."""
    try:
        content = (directory / METADATA_NAME).read_bytes()
        return content == _encode_metadata(directory, parse_origin(json.loads(content)))
    except (OSError, ValueError, RecursionError):
        return False


def remove_unused_datasets(used_directories: Iterable[Path]) -> None:
    """Remove the datasets that no session uses, except recent ones."""
    used = set(used_directories)
    for directory in datasets_directory().glob("*"):
        if directory not in used and directory.stat().st_mtime < time.time() - MIN_UNUSED_AGE_S:
            shutil.rmtree(directory, ignore_errors=True)


class IdxWriter:
    """An IDX file of bytes, written in batches; the header gets the number of items at the end."""

    def __init__(self, path: Path, item_shape: tuple[int, ...]) -> None:
        """Set the path and the shape of one item."""
        self.count = 0
        """Number of items added so far."""
        self._path, self._item_shape = path, item_shape

    def __enter__(self) -> IdxWriter:
        """Open the file."""
        with translate_os_errors(self._path):
            self._file = atomic_files.open_for_writing(self._path, os.O_TRUNC)
            self._file.write(self._header())
        return self

    def add(self, items: NDArray[np.uint8]) -> None:
        """Append items [n, *item_shape]."""
        with translate_os_errors(self._path):
            self._file.write(items.tobytes())
        self.count += len(items)

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        """Write the final header and close the file."""
        with translate_os_errors(self._path), self._file:
            if error_type is None:
                self._file.seek(0)
                self._file.write(self._header())
                self._file.flush()
                os.fsync(self._file.fileno())

    def _header(self) -> bytes:
        shape = (self.count, *self._item_shape)
        return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)


def _encode_metadata(directory: Path, origin: DatasetOrigin) -> bytes:
    """Return the content of dataset.json, whose checksum covers the origin, the source files and the label files."""
    fields = asdict(origin)
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    for path in [directory / SOURCE_FILES_NAME, *sorted(directory.glob("*-labels-*"))]:
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return json.dumps({**fields, "metadata_sha256": digest.hexdigest()}, sort_keys=True).encode()

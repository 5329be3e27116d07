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

from vaetui.errors import make_printable
from vaetui.storage import atomic_files, locations
from vaetui.storage.atomic_files import translate_os_errors
from vaetui.storage.import_report import ImportReport, parse_import_report

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_UNUSED_AGE_S = 3_600.0
"""An unused dataset younger than this is kept: a session may be about to start with it."""
METADATA_NAME, SOURCE_FILES_NAME, SKIPPED_FILES_NAME = "dataset.json", "source_files.jsonl", "skipped.txt"
FILES_PER_LINE = 1_000
"""Source files in a line of their list: writing them one by one takes several times as long."""
IDX_NAME_PART = "ubyte"
"""Part of the names of all IDX files."""


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
    """Its modification time in nanoseconds since 1970; -1 for a skipped page or array image, which is not a file."""
    skip_reason: str | None = None
    """Why it was skipped; None if it was imported."""
    pages: tuple[int, ...] | None = None
    """The imported pages of a file of several pages, from 0; None for a file with one image."""

    @property
    def is_file(self) -> bool:
        """Whether this is a file, not a page or an image of one."""
        return self.modified_ns >= 0

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
    temporary, previous = (directory.with_name(f".{key}-{os.getpid()}{suffix}") for suffix in ("", "-previous"))
    unfinished = temporary / key  # its name is part of the description
    with translate_os_errors(directory):
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(mode=0o700)
        unfinished.mkdir(mode=0o700)
    try:
        yield unfinished
        with translate_os_errors(directory):
            if replace_existing or not is_dataset_intact(directory):
                atomic_files.sync_directory(unfinished)
                if directory.exists():
                    directory.rename(previous)
                unfinished.rename(directory)
                atomic_files.sync_directory(directory.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(previous, ignore_errors=True)


def write_metadata(directory: Path, origin: DatasetOrigin, source_files: Sequence[SourceFile]) -> None:
    """Write the list of source files and the description of a new dataset; all other files have to be there already."""
    chunks = (source_files[start : start + FILES_PER_LINE] for start in range(0, len(source_files), FILES_PER_LINE))
    atomic_files.replace_file(directory / SOURCE_FILES_NAME, (f"{json.dumps(chunk)}\n".encode() for chunk in chunks))
    description = _encode_description(directory.name, origin, _compute_digests(directory))
    atomic_files.replace_file(directory / METADATA_NAME, description)


def restore_metadata(directory: Path, origin: DatasetOrigin) -> None:
    """Write the description of a dataset again; all other files have to be intact."""
    description = _encode_description(directory.name, origin, _compute_digests(directory))
    atomic_files.replace_file(directory / METADATA_NAME, description)


def write_skipped_list(directory: Path, skipped: Iterable[tuple[str, str]]) -> Path:
    """Write the paths that an import did not take, with the reasons, for people to read; return the file."""
    path = directory / SKIPPED_FILES_NAME
    content = "".join(f"{make_printable(name)} {reason}\n" for name, reason in skipped).encode()
    with translate_os_errors(path):
        if not path.is_file() or path.read_bytes() != content:
            atomic_files.replace_file(path, content)
    return path


def load_origin(directory: Path) -> DatasetOrigin | None:
    """Return the origin of a dataset; None if its description is missing, damaged or that of another dataset."""
    description = _load_description(directory)
    return None if description is None else description[0]


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
    """Return the source files of a dataset; an empty list if their file or the description is missing or damaged."""
    description = _load_description(directory)
    try:
        content = (directory / SOURCE_FILES_NAME).read_bytes()
        if description is None or description[1].get(SOURCE_FILES_NAME) != hashlib.sha256(content).hexdigest():
            return []
        return _parse_source_files(content)
    except (OSError, ValueError, TypeError):
        return []


def is_dataset_intact(directory: Path, with_images: bool = True) -> bool:
    """Return whether all files of a dataset are as written; `with_images=False` leaves the training images out."""
    description = _load_description(directory)
    try:
        return description is not None and _compute_digests(directory, with_images) == {
            name: digest for name, digest in description[1].items() if with_images or not _is_image_file(name)
        }
    except OSError:
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
        self._path, self._item_shape, self._unsynced_bytes = path, item_shape, 0

    def __enter__(self) -> IdxWriter:
        """Open the file."""
        with translate_os_errors(self._path):
            self._file = atomic_files.open_for_writing(self._path, os.O_TRUNC)
            self._file.write(self._header())
        return self

    def add(self, items: NDArray[np.uint8]) -> None:
        """Append items [n, *item_shape]."""
        with translate_os_errors(self._path):
            self._file.write(items.ravel().data)
            self._unsynced_bytes += items.nbytes
            if self._unsynced_bytes >= atomic_files.SYNC_BYTES:  # so that the end does not wait for a large file
                self._sync()
        self.count += len(items)

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        """Write the final header and close the file."""
        with translate_os_errors(self._path), self._file:
            if error_type is None:
                self._file.seek(0)
                self._file.write(self._header())
                self._sync()

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._unsynced_bytes = 0

    def _header(self) -> bytes:
        shape = (self.count, *self._item_shape)
        return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)


def _load_description(directory: Path) -> tuple[DatasetOrigin, dict[str, str]] | None:
    """Return the origin of a dataset and the SHA-256 of its other files by name; None if missing or damaged."""
    try:
        content = (directory / METADATA_NAME).read_bytes()
        fields = json.loads(content)
        origin, digests = parse_origin(fields), fields["file_sha256"]
        is_intact = content == _encode_description(directory.name, origin, digests)
        return (origin, digests) if is_intact and isinstance(digests, dict) else None
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return None


def _encode_description(key: str, origin: DatasetOrigin, digests: dict[str, str]) -> bytes:
    """Return the content of dataset.json with its own checksum, which covers also the key of the dataset."""
    fields = {**asdict(origin), "key": key, "file_sha256": digests}
    checksum = hashlib.sha256(json.dumps(fields).encode()).hexdigest()
    return json.dumps({**fields, "sha256": checksum}).encode()


def _compute_digests(directory: Path, with_images: bool = True) -> dict[str, str]:
    """Return the SHA-256 of every file of a dataset except the description, by name."""
    digests = {}
    for path in sorted(directory.iterdir()):
        is_part = path.name == SOURCE_FILES_NAME or IDX_NAME_PART in path.name
        if is_part and (with_images or not _is_image_file(path.name)):
            with path.open("rb") as file:
                digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def _is_image_file(name: str) -> bool:
    return name.startswith("train-images-")


def _parse_source_files(content: bytes) -> list[SourceFile]:
    """Return the source files; raises ValueError and TypeError for invalid content."""
    files = (SourceFile(*fields) for line in content.splitlines() for fields in json.loads(line))
    return [file if file.pages is None else file._replace(pages=tuple(file.pages)) for file in files]

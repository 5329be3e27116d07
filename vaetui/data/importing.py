"""Images in any form become a set, decoded once; it does not know sessions."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Generator, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from vaetui.data import building
from vaetui.data.array_roles import DatasetArrays, find_arrays
from vaetui.data.image_csv import list_csv
from vaetui.data.image_folder import FileList, list_folder
from vaetui.data.import_options import ImportOptions
from vaetui.engine.events import Progress
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_images
from vaetui.errors import UserError
from vaetui.storage import dataset_cache
from vaetui.storage.dataset_cache import DatasetOrigin, SourceFile

CACHE_FORMAT_VERSION = 1
"""Of the sets; part of their keys."""
CSV_SUFFIXES = (".csv", ".tsv")


class ChecksumMismatchError(Exception):
    """The same files came to other images than before: something in between has changed."""


@dataclass(frozen=True, slots=True)
class ImportedDataset:
    """Images that a session can begin with."""

    directory: Path
    """Where their IDX files are."""
    class_names: tuple[str, ...] | None
    """The names of the classes, where they are told."""
    skipped_count: int = 0
    """Files that could not be used."""


def import_dataset(path: Path, options: ImportOptions) -> Generator[Progress, None, ImportedDataset]:
    """Make a set of the images at a path, or find the one that was made of the very same; yields its progress.

    A directory of IDX files is used as it is. Raises Trouble for what holds no images, or too few.
    """
    path = path.absolute()
    if os.path.isdir(path) and _is_idx_directory(path) and options.size is None and options.colour is None:
        return ImportedDataset(path, options.classes)
    yield Progress(f"looking at {path.name}", 0, 1)
    found = find_images(path, options)
    seen = _stat_files(found)
    key = _compute_key(path, options, seen)
    made = dataset_cache.dataset_directory(key)
    if dataset_cache.load_origin(made) is None:
        seen = yield from _build_dataset(found, path, options, seen, key)
    else:
        seen = dataset_cache.load_source_files(made)
    about = dataset_cache.load_origin(made)
    return ImportedDataset(made, about.class_names if about else None, sum(it.skip_reason is not None for it in seen))


def rebuild(directory: Path, origin: DatasetOrigin, checksum: bytes | None) -> Generator[Progress, None, bool]:
    """Make a set anew, and tell whether that could be done: else what is there stays.

    What it was made of must be as it was, and come to the images that have that SHA-256, where one is known.
    """
    path = Path(origin.source_path)
    yield Progress(f"looking at {path.name}", 0, 1)
    try:
        wish = parse_import_options(origin)
        found = find_images(path, wish)
    except UserError:
        return False
    seen = _stat_files(found)
    key = _compute_key(path, wish, seen)
    if dataset_cache.dataset_directory(key) != directory:
        return False
    try:
        yield from _build_dataset(
            found, path, wish, seen, key, lambda made: checksum in (None, _compute_checksum(made))
        )
    except ChecksumMismatchError:
        return False
    return True


def find_images(path: Path, options: ImportOptions) -> FileList | DatasetArrays:
    """Find what there is at a path, in whatever form, or raise Trouble."""
    if os.path.isdir(path):
        return find_arrays(path, options) if _is_idx_directory(path) else list_folder(path, options.labels)
    if not os.path.exists(path):  # asks also for a path that is too long to be one
        raise UserError(f"There is no {path}; give a directory or a file of images with --data.")
    if path.suffix.lower() in CSV_SUFFIXES:
        return list_csv(path, options.labels, options.column)
    return find_arrays(path, options)


def describe_changes(directory: Path) -> str | None:
    """Say in a sentence how the files that a set was made of differ from what they were; None where they do not."""
    origin = dataset_cache.load_origin(directory)
    if origin is None:
        return None
    path, then = Path(origin.source_path), {it.relative_path: it for it in dataset_cache.load_source_files(directory)}
    if not then:  # it is damaged
        return None
    try:
        found = find_images(path, parse_import_options(origin))
    except UserError:
        return f"{path} is gone, or is no set of images any more; the session goes on with the images as they were."
    now = {it.relative_path: it for it in _stat_files(found)}
    news, gone = len(now.keys() - then.keys()), len(then.keys() - now.keys())
    other = sum(
        (it.size_bytes, it.modified_ns) != (then[name].size_bytes, then[name].modified_ns)
        for name, it in now.items()
        if name in then
    )
    if not news + gone + other:
        return None
    counts = ", ".join(
        f"{count} {what}" for count, what in ((news, "new"), (gone, "gone"), (other, "changed")) if count
    )
    return f"{path} changed since the session was made (files: {counts}); it goes on with the images as they were."


def parse_import_options(origin: DatasetOrigin) -> ImportOptions:
    """Give the wish that a set was made by, or raise Trouble for what is none."""
    told = origin.import_options
    size, colour, classes, column = (told.get(name) for name in ("size", "colour", "classes", "column"))
    try:
        return ImportOptions(
            None if size is None else (int(size[0]), int(size[1])),
            None if colour is None else bool(colour),
            bool(told.get("labels")),
            None if column is None else str(column),
            None if classes is None else tuple(map(str, classes)),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise UserError(f"The set of {origin.source_path} does not tell how it was made.") from error


def _build_dataset(
    source: FileList | DatasetArrays,
    path: Path,
    options: ImportOptions,
    file_records: list[SourceFile],
    key: str,
    is_valid: Callable[[Path], bool] | None = None,
) -> Generator[Progress, None, list[SourceFile]]:
    """Make the set of that key; gives what was looked at, and skipped why.

    With `right` it takes the place of one that is there, if it is right; else raises OtherwiseError.
    """
    with dataset_cache.create_dataset_atomically(key, replace_existing=is_valid is not None) as place:
        if isinstance(source, FileList):
            root = str(source.root)
            classes, file_records = yield from building.build_from_files(source, options, file_records, place)
        else:
            root = None
            classes = yield from building.build_from_arrays(source, options, place)
        dataset_cache.write_metadata(place, DatasetOrigin(str(path), asdict(options), classes, root), file_records)
        if is_valid is not None and not is_valid(place):
            raise ChecksumMismatchError
    return file_records


def _compute_checksum(directory: Path) -> bytes:
    return read_images(find_idx_files(directory).train_images)[1]


def _stat_files(source: FileList | DatasetArrays) -> list[SourceFile]:
    """Look at size and time of all files; those that are no candidates come last."""
    if isinstance(source, DatasetArrays):
        return [_stat_file(str(path), path.name) for path in source.files]
    skipped = [SourceFile(name, 0, 0, why) for name, why in source.skipped]
    return [*(_stat_file(os.path.join(source.root, name), name) for name in source.relative_paths), *skipped]


def _stat_file(path: str, name: str) -> SourceFile:
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return SourceFile(name, 0, 0)
    return SourceFile(name, stat.st_size, stat.st_mtime_ns)


def _compute_key(path: Path, options: ImportOptions, file_records: Iterable[SourceFile]) -> str:
    told = [
        CACHE_FORMAT_VERSION,
        str(path),
        asdict(options),
        [[it.relative_path, it.size_bytes, it.modified_ns] for it in file_records],
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:24]


def _is_idx_directory(path: Path) -> bool:
    try:
        find_idx_files(path)
    except UserError:
        return False
    return True

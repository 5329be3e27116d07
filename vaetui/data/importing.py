"""Import images of any supported form as a dataset, decoded once and cached under a key of source files and options."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from vaetui.data import dataset_building
from vaetui.data.array_roles import DatasetArrays, find_dataset_arrays
from vaetui.data.image_folder import FileList, list_folder_images
from vaetui.data.image_list_csv import list_csv_images
from vaetui.data.import_options import ImportOptions
from vaetui.engine.events import Progress
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_images_and_digest
from vaetui.errors import UserError
from vaetui.storage import dataset_cache
from vaetui.storage.dataset_cache import DatasetOrigin, SourceFile
from vaetui.storage.import_report import ImportReport

CACHE_FORMAT_VERSION = 1
"""Version of the cached datasets; part of their keys."""


class ChecksumMismatchError(Exception):
    """Rebuilding a dataset from the same files gave different images, for example with another Pillow version."""


@dataclass(frozen=True, slots=True)
class ImportedDataset:
    """A dataset that a session can use."""

    directory: Path
    """The directory of its IDX files."""
    class_names: tuple[str, ...] | None
    """The class names, if options or labels define them."""
    skipped_count: int = 0
    """Number of files that could not be used."""


def import_dataset(path: Path, options: ImportOptions) -> Generator[Progress, None, ImportedDataset]:
    """Import the images at a path, or return the cached dataset of the same files and options.

    A directory of IDX files is used in place, unless size or colour are to change. Yields Progress. Raises UserError
    if the path contains no images or too few, or labels are requested but missing or invalid.
    """
    path = path.absolute()
    if os.path.isdir(path) and _is_idx_directory(path) and options.size is None and options.colour is None:
        return ImportedDataset(path, options.classes)
    yield Progress(f"scanning {path.name}", 0, 1)
    source = find_source_images(path, options)
    file_records = _stat_files(source)
    key = _compute_key(path, options, file_records)
    directory = dataset_cache.dataset_directory(key)
    if dataset_cache.load_origin(directory) is None:
        file_records = yield from _build_dataset(source, path, options, file_records, key)
    else:
        file_records = dataset_cache.load_source_files(directory)
    origin = dataset_cache.load_origin(directory)
    skipped_count = sum(record.skip_reason is not None for record in file_records)
    return ImportedDataset(directory, origin.class_names if origin else None, skipped_count)


def rebuild_dataset(directory: Path, origin: DatasetOrigin, checksum: bytes | None) -> Generator[Progress, None, bool]:
    """Rebuild a damaged dataset from its source files, and return whether that succeeded.

    The existing dataset is kept if a source file has changed, or the rebuilt images do not have the SHA-256 `checksum`
    (None skips this check). Yields Progress.
    """
    path = Path(origin.source_path)
    yield Progress(f"scanning {path.name}", 0, 1)
    try:
        options = parse_import_options(origin)
        source = find_source_images(path, options)
    except UserError:
        return False
    file_records = _stat_files(source)
    key = _compute_key(path, options, file_records)
    if dataset_cache.dataset_directory(key) != directory:
        return False
    try:
        yield from _build_dataset(source, path, options, file_records, key, replace_existing=True, checksum=checksum)
    except ChecksumMismatchError:
        return False
    return True


def find_source_images(path: Path, options: ImportOptions) -> FileList | DatasetArrays:
    """Find the images at a path; raises UserError if it does not exist, is damaged or has an unknown format."""
    if os.path.isdir(path):
        return (
            find_dataset_arrays(path, options) if _is_idx_directory(path) else list_folder_images(path, options.labels)
        )
    if not os.path.exists(path):  # os.path, as Path.exists() raises OSError for names that are too long
        raise UserError(f"{path} does not exist. Pass a directory or file of images.")
    if path.suffix.lower() in (".csv", ".tsv"):
        return list_csv_images(path, options)
    return find_dataset_arrays(path, options)


def describe_source_changes(directory: Path) -> str | None:
    """Return a sentence on how the source files of a dataset have changed since its import; None if they have not."""
    origin = dataset_cache.load_origin(directory)
    if origin is None:
        return None
    path = Path(origin.source_path)
    old_records = {record.relative_path: record for record in dataset_cache.load_source_files(directory)}
    if not old_records:  # the dataset is damaged
        return None
    try:
        source = find_source_images(path, parse_import_options(origin))
    except UserError:
        return f"{path} is missing or no longer contains images; the session uses its imported copy."
    new_records = {record.relative_path: record for record in _stat_files(source)}
    added, removed = len(new_records.keys() - old_records.keys()), len(old_records.keys() - new_records.keys())
    common = new_records.keys() & old_records.keys()
    modified = sum(new_records[name][:3] != old_records[name][:3] for name in common)  # size or modification time
    changes = ((added, "added"), (removed, "removed"), (modified, "modified"))
    counts = ", ".join(f"{count} {change}" for count, change in changes if count)
    if not counts:
        return None
    return f"{path} has changed since its import (files: {counts}); the session uses its imported copy."


def parse_import_options(origin: DatasetOrigin) -> ImportOptions:
    """Return the import options stored in a dataset; raises UserError if they are invalid."""
    fields = origin.import_options
    size, colour, classes = (fields.get(name) for name in ("size", "colour", "classes"))
    label_key, image_key, axes = (fields.get(name) for name in ("label_key", "image_key", "axes"))
    value_range = fields.get("value_range")
    try:
        return ImportOptions(
            None if size is None else (int(size[0]), int(size[1])),
            None if colour is None else bool(colour),
            bool(fields.get("labels")),
            None if label_key is None else str(label_key),
            None if image_key is None else str(image_key),
            None if classes is None else tuple(map(str, classes)),
            None if value_range is None else (float(value_range[0]), float(value_range[1])),
            None if axes is None else str(axes),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise UserError(f"The import options stored for {origin.source_path} are damaged. Import it again.") from error


def _build_dataset(
    source: FileList | DatasetArrays,
    path: Path,
    options: ImportOptions,
    file_records: list[SourceFile],
    key: str,
    replace_existing: bool = False,
    checksum: bytes | None = None,
) -> Generator[Progress, None, list[SourceFile]]:
    """Build the dataset of a key, and return the file records with the reasons for skipping.

    Raises ChecksumMismatchError if the images do not have the SHA-256 `checksum`; None skips this check.
    """
    with dataset_cache.create_dataset_atomically(key, replace_existing) as directory:
        if isinstance(source, FileList):
            root_path = str(source.root)
            class_names, file_records = yield from dataset_building.build_from_files(
                source, options, file_records, directory
            )
        else:
            root_path = None
            class_names = yield from dataset_building.build_from_arrays(source, options, directory)
        pixels = read_images_and_digest(find_idx_files(directory).train_images)[0].all_pixels
        report = ImportReport(path.name, len(pixels), pixels.shape[1:3], pixels.ndim == 4, {"8-bit": (0.0, 255.0)}, 0)
        origin = DatasetOrigin(str(path), asdict(options), class_names, root_path, report)
        dataset_cache.write_metadata(directory, origin, file_records)
        if checksum is not None and checksum != read_images_and_digest(find_idx_files(directory).train_images)[1]:
            raise ChecksumMismatchError
    return file_records


def _stat_files(source: FileList | DatasetArrays) -> list[SourceFile]:
    """Return size and modification time of all source files; files that are not imported come last."""
    if isinstance(source, DatasetArrays):
        return [_stat_file(str(path), path.name) for path in source.files]
    skipped = [SourceFile(name, 0, 0, reason) for name, reason in source.skipped]
    return [*(_stat_file(os.path.join(source.root, path), path) for path in source.relative_paths), *skipped]


def _stat_file(path: str, relative_path: str) -> SourceFile:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return SourceFile(relative_path, 0, 0)
    return SourceFile(relative_path, status.st_size, status.st_mtime_ns)


def _compute_key(path: Path, options: ImportOptions, file_records: Iterable[SourceFile]) -> str:
    files = [record[:3] for record in file_records]  # without the reason for skipping
    key_fields = [CACHE_FORMAT_VERSION, str(path), asdict(options), files]
    return hashlib.sha256(json.dumps(key_fields, sort_keys=True).encode()).hexdigest()[:24]


def _is_idx_directory(path: Path) -> bool:
    try:
        find_idx_files(path)
    except UserError:
        return False
    return True

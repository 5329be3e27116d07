"""Import images of any supported form as a dataset, decoded once and cached under a key of source files and options."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from vaetui.data import dataset_building
from vaetui.data.array_files import DatasetArrays
from vaetui.data.array_roles import find_dataset_arrays, is_array_path
from vaetui.data.class_labels import count_labels
from vaetui.data.dataset_building import FileDecoder
from vaetui.data.image_files import StrPath
from vaetui.data.image_folder import FileList, list_folder_images, list_single_file
from vaetui.data.image_formats import FORMATS_BY_SUFFIX, get_suffix, identify_content, read_prefix
from vaetui.data.image_list_csv import list_csv_images
from vaetui.data.import_options import ImportOptions
from vaetui.data.parallel_decoding import decode_files
from vaetui.data.value_range import FULL_8_BIT_RANGE
from vaetui.engine.classes import NO_LABEL
from vaetui.engine.duplicates import ImageDigests
from vaetui.engine.events import Progress
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_idx_array, read_images_in_steps
from vaetui.engine.slow_calls import run_in_background
from vaetui.errors import UserError
from vaetui.storage import dataset_cache
from vaetui.storage.dataset_cache import DatasetOrigin, SourceFile
from vaetui.storage.file_names import PAGE_PATH
from vaetui.storage.import_report import ImportReport

CACHE_FORMAT_VERSION = 3
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
    report: ImportReport
    """What was taken."""
    skipped: tuple[tuple[str, str], ...]
    """Files, pages, rows and arrays that were not taken, and the reasons."""
    skipped_list: Path | None
    """The file that lists them; None for a directory that is used in place."""
    origin: DatasetOrigin | None
    """What the dataset was imported from; None for a directory that is used in place."""
    source: FileList | DatasetArrays
    """The files or arrays that the import examined."""


def import_dataset(
    path: Path, options: ImportOptions, decoder: FileDecoder = decode_files
) -> Generator[Progress, None, ImportedDataset]:
    """Import the images at a path, or return the cached dataset of the same files and options.

    A directory of IDX files is used in place, unless its images are to change. `decoder` decodes image files, if they
    are not in the cache. Yields Progress. Raises UserError if the path contains no images or too few, or labels are
    requested but missing or invalid.
    """
    path = path.absolute()
    yield Progress(f"scanning {path.name}", 0, 1)
    source = find_source_images(path, options)
    if isinstance(source, DatasetArrays) and path.is_dir():
        dataset = yield from _use_in_place(path, source, options)
        if dataset is not None:
            return dataset
    source_files = _stat_files(source)
    key = _compute_key(path, options, source, source_files)
    directory = dataset_cache.dataset_directory(key)
    is_intact = partial(dataset_cache.is_dataset_intact, directory)
    if (yield from run_in_background("verifying the images", is_intact)):
        records = dataset_cache.load_source_files(directory)
    else:
        records = yield from _build_dataset(source, path, options, source_files, key, decoder=decoder)
    origin = dataset_cache.load_origin(directory)
    if origin is None:
        raise UserError(f"The dataset in {directory} was removed or damaged by another process. Import it again.")
    decoding_skips = ((record.relative_path, record.skip_reason) for record in records if record.skip_reason)
    skipped = (*source.skipped, *decoding_skips)
    skipped_list = dataset_cache.write_skipped_list(directory, skipped)
    return ImportedDataset(directory, origin.class_names, origin.report, skipped, skipped_list, origin, source)


def compute_dataset_key(path: Path, options: ImportOptions) -> str:
    """Return the key of the dataset that an import of a path would make; it changes with the files and the options.

    Raises UserError as `find_source_images` does.
    """
    path = path.absolute()
    source = find_source_images(path, options)
    return _compute_key(path, options, source, _stat_files(source))


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
    source_files = _stat_files(source)
    key = _compute_key(path, options, source, source_files)
    if dataset_cache.dataset_directory(key) != directory:
        return False
    try:
        yield from _build_dataset(source, path, options, source_files, key, replace_existing=True, checksum=checksum)
    except ChecksumMismatchError:
        return False
    return True


def find_source_images(
    path: Path, options: ImportOptions, expected_size: tuple[int, int] | None = None
) -> FileList | DatasetArrays:
    """Find the images at a path.

    `expected_size`, height and width, decides between two possible orders of an array's axes. Raises UserError if the
    path does not exist, is damaged or has an unknown format.
    """
    if os.path.isdir(path):
        _refuse_choices(path, "directory", options)
        if _is_idx_directory(path):
            return find_dataset_arrays(path, options)
        return list_folder_images(path, options.labels, options.classes)
    if not os.path.exists(path):  # os.path, as Path.exists() raises OSError for names that are too long
        raise UserError(f"{path} does not exist. Pass a directory or file of images.")
    if is_list_path(path):
        if options.axes is not None:
            raise UserError(f"{path} is a list of image files, which have no axes. Omit --axes.")
        return list_csv_images(path, options)
    if (
        not is_array_path(path)
        and path.is_file()
        and (get_suffix(path) in FORMATS_BY_SUFFIX or identify_content(read_prefix(path)) is not None)
    ):
        _refuse_choices(path, "image file", options)
        if options.labels:
            raise UserError(f"{path} is a single image file and has no labels. Omit --labels.")
        return list_single_file(path)
    return find_dataset_arrays(path, options, expected_size)


def _refuse_choices(path: Path, kind: str, options: ImportOptions) -> None:
    """Raise UserError for options that choose among arrays or columns, which a directory or image does not have."""
    for key, option in ((options.image_key, "--images"), (options.label_key, "--labels"), (options.axes, "--axes")):
        if key is not None:
            hint = f" If {key} is the name of the session, put it first." if option == "--labels" else ""
            raise UserError(f"{path} is a {kind}, so {option} {key} cannot choose anything in it. Omit it.{hint}")


def is_list_path(path: StrPath) -> bool:
    """Return whether a path has the ending of a list of images."""
    return get_suffix(path) in (".csv", ".tsv", ".txt", ".lst")


def describe_source_changes(directory: Path) -> str | None:
    """Return a sentence on how the source files of a dataset have changed since its import; None if they have not."""
    origin = dataset_cache.load_origin(directory)
    if origin is None:
        return None
    path = Path(origin.source_path)
    records = dataset_cache.load_source_files(directory)
    old_records = {record.relative_path: record for record in records if record.is_file}
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


def _use_in_place(
    path: Path, arrays: DatasetArrays, options: ImportOptions
) -> Generator[Progress, None, ImportedDataset | None]:
    """Return a directory of IDX files as a dataset; None if its images have to be converted."""
    if replace(options, labels=False, classes=None) != ImportOptions():
        return None
    _, value_ranges = yield from dataset_building.survey_array(arrays.train_images, options)
    if value_ranges != {"8-bit": FULL_8_BIT_RANGE}:
        return None
    digests = ImageDigests()
    images, _ = yield from read_images_in_steps(arrays.files[0], digests.add)
    first_copies = yield from digests.find_first_copies()
    class_names, class_counts = options.classes, None
    if options.labels:
        files = find_idx_files(path)
        if files.train_labels is None:
            raise UserError(f"{path} has no training labels. Add them, or omit --labels.")
        class_ids = read_idx_array(files.train_labels, 1)
        if len(class_ids) != len(images):
            raise UserError(f"{files.train_labels} has {len(class_ids):,} labels for {len(images):,} images.")
        names = class_names or tuple(map(str, range(max(int(class_ids[class_ids != NO_LABEL].max(initial=9)) + 1, 10))))
        class_counts = count_labels(names, class_ids)
    report = dataset_building.build_report(
        arrays.source, images.shape, value_ranges, first_copies, class_counts, Counter()
    )
    skipped = tuple(
        (entry.name, "is not one of the IDX files") for entry in sorted(path.iterdir()) if entry not in arrays.files
    )
    return ImportedDataset(path, class_names, report, skipped, None, None, arrays)


def _build_dataset(
    source: FileList | DatasetArrays,
    path: Path,
    options: ImportOptions,
    source_files: list[SourceFile],
    key: str,
    replace_existing: bool = False,
    checksum: bytes | None = None,
    decoder: FileDecoder = decode_files,
) -> Generator[Progress, None, list[SourceFile]]:
    """Build the dataset of a key, and return its source files with the reasons for skipping.

    Raises ChecksumMismatchError if the images do not have the SHA-256 `checksum`; None skips this check.
    """
    with dataset_cache.create_dataset_atomically(key, replace_existing) as directory:
        if isinstance(source, FileList):
            root_path = str(source.root)
            built = yield from dataset_building.build_from_files(source, options, source_files, directory, decoder)
        else:
            root_path = None
            built = yield from dataset_building.build_from_arrays(source, options, source_files, directory)
        origin = DatasetOrigin(str(path), asdict(options), built.class_names, root_path, built.report)
        metadata = partial(dataset_cache.write_metadata, directory, origin, built.source_files)
        yield from run_in_background("verifying the images", metadata)
        if checksum is not None:
            _, digest = yield from read_images_in_steps(find_idx_files(directory).train_images)
            if digest != checksum:
                raise ChecksumMismatchError
    return built.source_files


def _stat_files(source: FileList | DatasetArrays) -> list[SourceFile]:
    """Return size and modification time of all source files."""
    if isinstance(source, DatasetArrays):
        return [_stat_file(str(path), path.name) for path in source.files]
    return list(map(_stat_file, source.list_paths(), source.relative_paths))


def _stat_file(path: str, relative_path: str) -> SourceFile:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        if page := PAGE_PATH.fullmatch(path):
            return _stat_file(page[1], "")._replace(relative_path=relative_path)
        return SourceFile(relative_path, 0, 0)
    return SourceFile(relative_path, status.st_size, status.st_mtime_ns)


def _compute_key(
    path: Path, options: ImportOptions, source: FileList | DatasetArrays, source_files: Iterable[SourceFile]
) -> str:
    labels = source.labels if isinstance(source, FileList) else None  # those in a table change without the image files
    key_fields = [CACHE_FORMAT_VERSION, str(path), asdict(options), [file[:3] for file in source_files], labels]
    return hashlib.sha256(json.dumps(key_fields, sort_keys=True).encode()).hexdigest()[:24]


def _is_idx_directory(path: Path) -> bool:
    try:
        find_idx_files(path)
    except UserError:
        return False
    return True

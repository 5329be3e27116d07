"""Where the images of a session were imported from: their files, and whether these still show the same pictures."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaetui.data.parallel_decoding import FileResult, decode_files
from vaetui.data.value_range import read_value_ranges
from vaetui.engine.clusters import Pixels
from vaetui.engine.events import Progress
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_images_and_digest
from vaetui.errors import UserError
from vaetui.export.label_table import SourceFiles
from vaetui.export.source_pages import split_page_path
from vaetui.storage import dataset_cache
from vaetui.storage.dataset_cache import DatasetOrigin, SourceFile

MAX_PIXEL_DIFFERENCE = 2
"""Largest difference between two decoded versions of one picture: other versions of a decoder round differently."""


@dataclass(frozen=True, slots=True, eq=False)
class SourceImages:
    """The source of a dataset, as far as it can be found."""

    files: SourceFiles | None
    """The image files; None if the images were imported from arrays, or are used in place."""
    omitted_positions: tuple[int, ...] = ()
    """Positions of the images of an array that were not imported, ascending."""
    notice: str | None = None
    """A sentence on a source that has changed or is lost; None without any."""


def find_source_images(directory: Path, count: int) -> Generator[Progress, None, SourceImages]:
    """Find the files that a dataset of `count` images was imported from, and those that were replaced since.

    Files whose size or modification time has changed are decoded again and compared. Yields Progress.
    """
    is_imported = directory.parent == dataset_cache.datasets_directory()
    if not is_imported and not (directory / dataset_cache.METADATA_NAME).exists():  # VAETUI_HOME may have moved
        return SourceImages(None)
    origin, records = dataset_cache.load_origin(directory), dataset_cache.load_source_files(directory)
    if origin is None or not records:
        return SourceImages(None, notice=_describe_lost_list(directory))
    omitted_positions = origin.report.omitted_indices
    if origin.root_path is None:
        changed_names = [
            record.relative_path for record in records if record.skip_reason is None and _has_changed(record, origin)
        ]
        notice = None
        if changed_names:
            notice = f"{', '.join(changed_names)} changed after the import; the labels belong to the imported images."
        return SourceImages(None, omitted_positions, notice)
    paths = tuple(path for record in records for path in record.list_image_paths())
    if len(paths) != count:
        return SourceImages(None, notice=_describe_lost_list(directory))
    replaced_indices = yield from _find_replaced_images(directory, origin, records)
    return SourceImages(SourceFiles(Path(origin.root_path), paths, replaced_indices), omitted_positions)


def iter_input_paths(directory: Path) -> Iterator[Path]:
    """Yield every file that the images of a dataset come from; an output must not overwrite them."""
    with suppress(UserError):
        files = find_idx_files(directory)
        yield from filter(None, (files.train_images, files.train_labels, files.test_images, files.test_labels))
    origin = dataset_cache.load_origin(directory)
    if origin is not None:
        yield Path(origin.source_path)
        for record in dataset_cache.load_source_files(directory):
            yield _locate_file(record, origin)


def _find_replaced_images(
    directory: Path, origin: DatasetOrigin, records: Sequence[SourceFile]
) -> Generator[Progress, None, frozenset[int]]:
    """Return the indices of images whose files exist but do not contain the imported pictures."""
    changed_records: list[tuple[int, SourceFile]] = []
    index = 0
    for record in records:
        image_count = len(record.list_image_paths())
        if image_count and _has_changed(record, origin):
            changed_records.append((index, record))
        index += image_count
    if not changed_records:
        return frozenset()
    pixels: Pixels = read_images_and_digest(find_idx_files(directory).train_images)[0].all_pixels
    ranges = read_value_ranges(origin.report.value_ranges)
    paths = [os.path.join(str(origin.root_path), record.relative_path) for _, record in changed_records]
    replaced_indices: set[int] = set()
    checked_count = 0
    for batch_pixels, results in decode_files(paths, pixels.shape[1:], ranges):
        first_row = 0
        for result in results:
            first_index, record = changed_records[checked_count]
            file_pixels = batch_pixels[first_row : first_row + result.image_count]
            replaced_indices.update(_compare_pages(first_index, record, result, file_pixels, pixels))
            first_row, checked_count = first_row + result.image_count, checked_count + 1
        yield Progress("checking changed image files", checked_count, len(paths))
    return frozenset(replaced_indices)


def _compare_pages(
    first_index: int, record: SourceFile, result: FileResult, file_pixels: Pixels, imported_pixels: Pixels
) -> Iterator[int]:
    """Yield the indices of the images of a file that are not as imported; `file_pixels` are those of `result`."""
    rows = {page: row for row, page in enumerate(result.pages or range(result.image_count))}
    for offset, page in enumerate(record.pages or (next(iter(rows), 0),)):
        imported = imported_pixels[first_index + offset].astype(int)
        row = rows.get(page)
        if row is None or np.abs(file_pixels[row] - imported).max() > MAX_PIXEL_DIFFERENCE:
            yield first_index + offset


def _has_changed(record: SourceFile, origin: DatasetOrigin) -> bool:
    """Return whether a file exists with another size or modification time than when it was imported."""
    try:
        status = os.stat(_locate_file(record, origin))
    except (OSError, ValueError):
        return False
    return (status.st_size, status.st_mtime_ns) != (record.size_bytes, record.modified_ns)


def _locate_file(record: SourceFile, origin: DatasetOrigin) -> Path:
    if origin.root_path is not None:
        return split_page_path(Path(origin.root_path) / record.relative_path)[0]
    source = Path(origin.source_path)
    return source / record.relative_path if source.is_dir() else source


def _describe_lost_list(directory: Path) -> str:
    return f"The list of source files in {directory} is lost or damaged, so the labels have no paths."

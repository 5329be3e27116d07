"""Turn the text of the option --features into a checked file of vectors in the order of the images."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vaetui.data.array_files import translate_read_errors
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import ImportedDataset, import_dataset, is_list_path
from vaetui.engine.clusters import Indices
from vaetui.engine.events import Progress
from vaetui.engine.vectors import VectorArray
from vaetui.errors import UserError, format_count, make_printable
from vaetui.features import feature_matching
from vaetui.features.feature_checks import VectorCheck
from vaetui.features.feature_files import is_feature_file, open_feature_file
from vaetui.features.feature_matching import ImageOrder, RowSelection
from vaetui.features.feature_store import FeatureWriter, create_features_directory
from vaetui.features.resemblance import resemble_images
from vaetui.features.vector_arrays import FeatureFile
from vaetui.storage.feature_record import FeatureRecord
from vaetui.storage.locations import features_directory

BLOCK_BYTES = 1 << 22
"""Bytes of a file that are read, hashed and checked at a time."""
MAX_PATH_CHARS = 24
"""Most characters of a path in the description of the vectors."""


@dataclass(frozen=True, slots=True)
class ResolvedFeatures:
    """Vectors that a session can use."""

    record: FeatureRecord
    """The file of the vectors."""
    description: str
    """What they are, for the report of the import."""


def import_with_features(
    path: Path, options: ImportOptions, text: str, key: str | None, device: str
) -> Generator[Progress, None, tuple[ImportedDataset, ResolvedFeatures]]:
    """Import the images at a path, and check and match their vectors.

    `text` is the path of a file, of which `key` is the array or column, or the name of an image model, which then
    computes the vectors on a device. Yields Progress. Raises UserError as an import does, and for vectors that do not
    belong to the images or cannot be used.
    """
    if is_feature_file(text):
        file_path = Path(text)
        open_feature_file(file_path, key)  # refused before the import, which can take minutes
        dataset = yield from import_dataset(path, options)
    else:
        dataset, file_path = yield from _import_and_embed(path, options, text, key, device)
    resolved = yield from resolve_file(file_path, key, dataset, dataset.directory)
    return dataset, resolved


def resolve_for_directory(
    directory: Path, text: str, key: str | None, device: str
) -> Generator[Progress, None, ResolvedFeatures]:
    """Check and match the vectors of the IDX files in a directory that is used in place; see `import_with_features`."""
    if is_feature_file(text):
        return (yield from resolve_file(Path(text), key, None, directory))
    _, path = yield from _import_and_embed(directory, ImportOptions(), text, key, device)
    return (yield from resolve_file(path, None, None, directory))


def _import_and_embed(
    path: Path, options: ImportOptions, model_name: str, key: str | None, device: str
) -> Generator[Progress, None, tuple[ImportedDataset, Path]]:
    """Import images and compute their vectors by an image model, or take those that were computed before.

    Raises UserError for a key, which no image model has.
    """
    from vaetui.engine.devices import select_device
    from vaetui.features.embedded_file import load_embedded_file
    from vaetui.features.embedding import compute_embedding_key, import_and_embed
    from vaetui.features.image_models import load_model

    if key is not None:
        raise UserError(f"--features-key {key} chooses vectors in a file, and {model_name} is no file. Omit it.")
    yield Progress("loading the image model", 0, 1)
    model = load_model(model_name, select_device(device).type)
    # Labels do not change which images of a directory or array are imported, but they may change that of a table.
    key_options = options if is_list_path(path) else replace(options, labels=False, classes=None)
    output = create_features_directory() / f"{compute_embedding_key(path, key_options, model)}.npy"
    if load_embedded_file(output) is None:
        dataset, _ = yield from import_and_embed(path, options, model, output)
    else:
        with suppress(OSError):
            os.utime(output)  # another process does not remove it now
        dataset = yield from import_dataset(path, options)
    return dataset, output


def resolve_file(
    path: Path, key: str | None, dataset: ImportedDataset | None, directory: Path
) -> Generator[Progress, None, ResolvedFeatures]:
    """Check the vectors of a file and match them with images; see `import_with_features`."""
    feature_file = open_feature_file(path, key)
    return (yield from resolve_vectors(feature_file, feature_matching.describe_image_order(dataset, directory)))


def resolve_vectors(feature_file: FeatureFile, images: ImageOrder) -> Generator[Progress, None, ResolvedFeatures]:
    """Check the vectors of an opened file and match them with images; see `import_with_features`.

    A .npy file in the order of the images is used where it is; other vectors are written to the store.
    """
    selection = feature_matching.match_rows(feature_file, images)
    if feature_file.is_mappable and selection.rows is None:
        record, zero_count = yield from _check_in_place(feature_file)
    else:
        record, zero_count = yield from _convert(feature_file, selection)
    return ResolvedFeatures(record, _describe(feature_file, images, selection, record, zero_count))


def _check_in_place(feature_file: FeatureFile) -> Generator[Progress, None, tuple[FeatureRecord, int]]:
    """Check and hash a .npy file in one pass; return its record and the number of vectors that are all zeros."""
    path, count, width = feature_file.path, feature_file.count, feature_file.width
    check, digest = VectorCheck(feature_file), hashlib.sha256()
    row_bytes = width * feature_file.dtype.itemsize
    rows_per_block = max(BLOCK_BYTES // row_bytes, 1)
    with translate_read_errors(str(path)), path.open("rb") as file:
        status = os.fstat(file.fileno())
        digest.update(file.read(max(status.st_size - count * row_bytes, 0)))  # the header
        for start in range(0, count, rows_per_block):
            content = file.read(min(rows_per_block, count - start) * row_bytes)
            if len(content) % row_bytes or not content:
                raise UserError(_describe_change(path))
            digest.update(content)
            block = np.frombuffer(content, feature_file.dtype).reshape(-1, width)
            check.add(block, lambda index, first=start: first + index)  # type: ignore[misc]
            yield Progress("checking the vectors", start + len(block), count)
        if file.read(1) or _has_changed(status, path):
            raise UserError(_describe_change(path))
    check.finish()
    sidecar = feature_file.sidecar
    if sidecar is not None and sidecar.sha256 != digest.hexdigest():
        raise UserError(
            f"{path} is not the file that its description {path.name}.json belongs to. Compute the vectors again, or "
            "remove the description to use them without their paths."
        )
    model = None if sidecar is None else sidecar.model
    return FeatureRecord(str(path), count, width, digest.hexdigest(), model), check.zero_count


def _convert(
    feature_file: FeatureFile, selection: RowSelection
) -> Generator[Progress, None, tuple[FeatureRecord, int]]:
    """Write the selected vectors in the order of the images to the store; return their record and the zero vectors."""
    rows = np.arange(feature_file.count) if selection.rows is None else selection.rows
    check = VectorCheck(feature_file)
    with (
        translate_read_errors(feature_file.name),
        FeatureWriter(len(rows), feature_file.width, feature_file.dtype) as writer,
    ):
        status, done = os.stat(feature_file.path), 0
        for vectors, block_rows, positions in _iter_selected(feature_file, rows):
            check.add(vectors, lambda index, numbers=block_rows: int(numbers[index]))  # type: ignore[misc]
            writer.write(positions, vectors)
            done += len(vectors)
            yield Progress("converting the vectors", done, len(rows))
        if _has_changed(status, feature_file.path) or done < len(rows):
            raise UserError(_describe_change(feature_file.path))
        check.finish()
    model = None if feature_file.sidecar is None else feature_file.sidecar.model
    record = FeatureRecord(str(writer.path), len(rows), feature_file.width, writer.sha256, model)
    return record, check.zero_count


def _iter_selected(feature_file: FeatureFile, rows: Indices) -> Iterator[tuple[VectorArray, Indices, Indices]]:
    """Yield the vectors of rows in the order of the file, with their rows and their positions among the rows."""
    order = np.argsort(rows, kind="stable")
    sorted_rows = rows[order]
    first = start = 0
    for block in feature_file.iter_blocks():
        end = int(np.searchsorted(sorted_rows, first + len(block)))
        if end > start:
            block_rows = sorted_rows[start:end]
            yield block[block_rows - first], block_rows, order[start:end]
        first, start = first + len(block), end


def _has_changed(status: os.stat_result, path: Path) -> bool:
    new_status = os.stat(path)
    fields = ("st_size", "st_mtime_ns", "st_ino", "st_dev")
    return any(getattr(status, field) != getattr(new_status, field) for field in fields)


def _describe_change(path: Path) -> str:
    return f"{path} changed while it was read. Wait until it is complete, and start again."


def _describe(
    feature_file: FeatureFile, images: ImageOrder, selection: RowSelection, record: FeatureRecord, zero_count: int
) -> str:
    """Return a line, or several, for the report of the import."""
    is_own = feature_file.path.parent == features_directory()
    text = f"{record.width:,} numbers per image from "
    if record.model is not None:
        height, width = record.model.size
        text += f"{make_printable(record.model.name)} at {height}x{width}"
    if not is_own:
        text += f"{', ' * (record.model is not None)}{make_printable(feature_file.path.name)}"
        text += ", matched by path" if selection.is_by_path else f", in the order of the images{_name_images(images)}"
    if record.count == images.count and images.test_count:
        text += "; the test images have no vectors"
    notes = []
    if selection.unused_count:
        notes.append(f"{format_count(selection.unused_count, 'vector')} of other or unusable images left out")
    if not is_own and images.images_path is not None and not _fit_images(record, images.images_path):
        notes.append("similar images do not have similar vectors: check that each vector is that of its image")
    if zero_count:
        notes.append(f"{format_count(zero_count, 'vector is', 'vectors are')} all zeros")
    return "\n".join([text, *notes])


def _fit_images(record: FeatureRecord, images_path: Path) -> bool:
    return resemble_images(np.load(record.path, mmap_mode="r", allow_pickle=False), images_path)


def _name_images(images: ImageOrder) -> str:
    """Return the names of the first images and of the last one, by which a person can check the order."""
    if images.paths is None:
        return ""
    first, second, last = (_shorten(images.paths[position]) for position in (0, 1, -1))
    return f": {first}, {second} … {last}"


def _shorten(path: str) -> str:
    return make_printable(path if len(path) <= MAX_PATH_CHARS else f"…{path[1 - MAX_PATH_CHARS :]}")

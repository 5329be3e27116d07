"""Find the row of the vector of each image: by order where a file has no paths, by path where it has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaetui.data.importing import ImportedDataset, is_list_path
from vaetui.engine.clusters import Indices
from vaetui.engine.idx import find_idx_files, read_image_header_shape
from vaetui.errors import UserError, format_count
from vaetui.features.feature_paths import require_rows
from vaetui.features.vector_arrays import FeatureFile
from vaetui.storage import dataset_cache
from vaetui.storage.dataset_cache import SourceFile


@dataclass(frozen=True, slots=True, eq=False)
class ImageOrder:
    """The images of a session in their order, and what their import left out."""

    name: str
    """What was imported, for messages."""
    count: int
    """Number of images, N."""
    test_count: int
    """Number of test images, T."""
    images_path: Path | None = None
    """The IDX file of the images."""
    skipped_positions: tuple[int, ...] = ()
    """Positions of the images that were left out, among all images of the source."""
    skipped_test_positions: tuple[int, ...] = ()
    """The same for test images."""
    paths: tuple[str, ...] | None = None
    """Path of each image, relative to the root or absolute; None if the images are not files of their own."""
    root: Path | None = None
    """The directory that relative paths start at."""


@dataclass(frozen=True, slots=True, eq=False)
class RowSelection:
    """The rows of a file that belong to images."""

    rows: Indices | None
    """The row of each image [N] or [N + T]; None if these are all rows in their order."""
    unused_count: int = 0
    """Number of rows of other images."""
    is_by_path: bool = False
    """Whether rows were found by the paths of their images."""


def describe_image_order(dataset: ImportedDataset | None, directory: Path) -> ImageOrder:
    """Return the order of the images of an import, or of IDX files in a directory that is used in place."""
    files = find_idx_files(directory)
    count = read_image_header_shape(files.train_images)[0]
    test_count = 0 if files.test_images is None else read_image_header_shape(files.test_images)[0]
    origin = None if dataset is None else dataset.origin
    if dataset is None or origin is None:
        source = dataset.report.source if dataset else "the bundled images"
        return ImageOrder(source, count, test_count, files.train_images)
    records = dataset_cache.load_source_files(directory)
    if origin.root_path is None:
        omitted = origin.report.omitted_indices
        skipped_rows = [int(record.relative_path.rpartition("#")[2]) for record in records if not record.is_file]
        test_omitted = tuple(skipped_rows[len(omitted) :])
        return ImageOrder(origin.report.source, count, test_count, files.train_images, omitted, test_omitted)
    paths = tuple(path for record in records for path in record.list_image_paths())
    skipped = _find_skipped_files(records)
    unlisted_count = len(dataset.skipped) - sum(record.skip_reason is not None for record in records)
    if unlisted_count and is_list_path(origin.source_path) and not Path(origin.source_path).is_dir():
        skipped = ()  # which rows of the table vectors were computed for does not follow from their number
    root = Path(origin.root_path)
    return ImageOrder(origin.report.source, count, test_count, files.train_images, skipped, (), paths, root)


def match_rows(feature_file: FeatureFile, images: ImageOrder) -> RowSelection:
    """Return the row of each image; raises UserError if they cannot be found without doubt."""
    if feature_file.paths is None:
        return _match_by_order(feature_file, images)
    if images.paths is None or images.root is None:
        if feature_file.sidecar is not None:
            return _match_by_order(feature_file, images)
        raise UserError(
            f"{feature_file.name} names images by path, but the images of {images.name} have none. Remove the paths to "
            "go by the order."
        )
    rows = require_rows(
        feature_file.paths, images.paths, images.root, feature_file.name, images.name, feature_file.path.parent
    )
    is_identity = len(rows) == feature_file.count and bool((rows == np.arange(len(rows))).all())
    return RowSelection(None if is_identity else rows, feature_file.count - len(rows), is_by_path=True)


def _match_by_order(feature_file: FeatureFile, images: ImageOrder) -> RowSelection:
    """Match rows in their order, without the rows of images that the import left out."""
    train_choices = [np.arange(images.count), _list_positions(images.count, images.skipped_positions)]
    test_choices = [np.arange(images.test_count), _list_positions(images.test_count, images.skipped_test_positions)]
    train_sizes = [images.count, images.count + len(images.skipped_positions)]
    test_sizes = [images.test_count, images.test_count + len(images.skipped_test_positions)]
    fitting: list[Indices] = []
    for train_rows, train_size, test_rows, test_size in zip(
        train_choices, train_sizes, test_choices, test_sizes, strict=True
    ):
        if feature_file.count == train_size and not feature_file.test_count:
            fitting.append(train_rows)
        if feature_file.count == train_size + test_size and feature_file.test_count in (0, test_size):
            fitting.append(np.concatenate([train_rows, train_size + test_rows]))
        elif feature_file.count - feature_file.test_count == train_size and not images.test_count:
            fitting.append(train_rows)  # a file of a whole set, of whose images only a part was imported
    if not fitting:
        raise UserError(_explain_counts(feature_file, images))
    rows = fitting[0]
    if not all(np.array_equal(rows, other) for other in fitting):
        raise UserError(
            f"{feature_file.name} has {feature_file.count:,} vectors, which could belong to all images of "
            f"{images.name}, usable or not, or to the usable ones and the test images. Save the vectors without test "
            "images or without those of unusable images."
        )
    return RowSelection(None if len(rows) == feature_file.count else rows, feature_file.count - len(rows))


def _list_positions(count: int, skipped_positions: tuple[int, ...]) -> Indices:
    """Return the positions of images among these and the skipped ones."""
    return np.delete(np.arange(count + len(skipped_positions)), np.array(skipped_positions, np.int64))


def _explain_counts(feature_file: FeatureFile, images: ImageOrder) -> str:
    text = f"{feature_file.name} has {feature_file.count:,} vectors for {format_count(images.count, 'image')} of "
    text += images.name
    if images.test_count:
        text += f" (and {format_count(images.test_count, 'test image')})"
    if images.skipped_positions:
        text += f"; {len(images.skipped_positions):,} more could not be used"
    if feature_file.width in (images.count, images.count + images.test_count):
        return f"{text}. If its columns are the vectors, save vectors.T."
    return f"{text}. Save one vector per image in their order, or add the paths of the images (npz, Parquet)."


def _find_skipped_files(records: list[SourceFile]) -> tuple[int, ...]:
    """Return the positions of skipped files among all images and skipped files."""
    positions, position = [], 0
    for record in records:
        if not record.is_file:
            continue  # a page
        if record.skip_reason is not None:
            positions.append(position)
            position += 1
        else:
            position += len(record.list_image_paths())
    return tuple(positions)

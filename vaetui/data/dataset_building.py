"""Write an imported dataset as IDX files: images decoded to one size, and their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vaetui.data import array_conversion, class_labels, image_survey
from vaetui.data.array_files import ArrayFile, DatasetArrays
from vaetui.data.class_labels import LabelCounts
from vaetui.data.image_folder import FileList
from vaetui.data.import_options import ImportOptions
from vaetui.data.parallel_decoding import DecodedBatch, DecodingPool, FileResult, decode_files, open_pool
from vaetui.data.report_text import count_entries, describe_reasons
from vaetui.data.value_range import (
    RangeEstimator,
    SampleKind,
    ValueRanges,
    get_sample_kind,
    use_range_for_all_kinds,
)
from vaetui.engine.clusters import Indices
from vaetui.engine.duplicates import ImageDigests, count_duplicates
from vaetui.engine.events import Progress
from vaetui.engine.idx import COLOUR_CHANNELS, MAX_SIDE_PX, MIN_IMAGES, MIN_SIDE_PX
from vaetui.errors import UserError, format_count
from vaetui.storage.dataset_cache import IdxWriter, SourceFile
from vaetui.storage.import_report import ImportReport

IMAGES_FILE_TEMPLATE, LABELS_FILE_TEMPLATE = "{}-images-idx{}-ubyte", "{}-labels-idx1-ubyte"
ClassNames = tuple[str, ...] | None
FileDecoder: TypeAlias = (
    "Callable[[Sequence[str], tuple[int, ...], ValueRanges, DecodingPool | None], Iterator[DecodedBatch]]"
)
"""Decodes the files of a set as `decode_files` does; it may use the images for something else at the same time."""


@dataclass(frozen=True, slots=True)
class BuiltDataset:
    """What was written."""

    class_names: ClassNames
    """The class names, if options or labels define them."""
    source_files: list[SourceFile]
    """The source files, with the reasons for skipping."""
    report: ImportReport
    """What the import took."""


def build_from_files(
    file_list: FileList,
    options: ImportOptions,
    source_files: list[SourceFile],
    directory: Path,
    decoder: FileDecoder = decode_files,
) -> Generator[Progress, None, BuiltDataset]:
    """Decode image files and write them, with their labels, as IDX files; each page of a file is an image.

    If the files contain a kind of values that the survey lacks, `decoder` is called a second time. Yields Progress.
    Raises UserError if there are too few usable or different images, or labels are requested but missing or invalid.
    """
    paths = file_list.list_paths()
    if not paths:
        raise UserError(_describe_missing_images(file_list))
    class_names, labels = options.classes, None
    if options.labels and file_list.labels is not None:
        class_names, labels = class_labels.encode_labels(file_list.labels, options.classes, str(file_list.root))
    with open_pool(paths) as pool:
        survey = yield from image_survey.survey_image_set(paths, options, pool)
        value_ranges = survey.value_ranges
        decoded = yield from _decode_images(paths, survey.shape, value_ranges, directory, pool, decoder)
        if not decoded.kinds <= value_ranges.keys():
            # The surveyed sample lacked a kind of values, so its range is not known yet.
            rare_paths = [
                path for path, file in zip(paths, decoded.files, strict=True) if not file.kinds <= value_ranges.keys()
            ]
            rare_ranges = yield from image_survey.find_value_ranges(rare_paths, pool)
            value_ranges = {**value_ranges, **rare_ranges}
            decoded = yield from _decode_images(paths, survey.shape, value_ranges, directory, pool, decoder)
    records, image_counts = _build_records(source_files, decoded.files)
    _require_usable_images(len(decoded.digests), f"{len(paths):,} files in {file_list.root}", records)
    class_counts = None
    if labels is not None and class_names is not None:
        image_labels = np.repeat(labels, image_counts)
        _write_labels(image_labels, directory, "train")
        class_counts = class_labels.count_labels(class_names, image_labels)
    sizes = Counter(file.size for file in decoded.files if file.size is not None)
    first_copies = yield from decoded.digests.find_first_copies()
    report = build_report(file_list.source, survey.shape, value_ranges, first_copies, class_counts, sizes)
    return BuiltDataset(class_names, records, report)


def build_from_arrays(
    dataset_arrays: DatasetArrays, options: ImportOptions, source_files: list[SourceFile], directory: Path
) -> Generator[Progress, None, BuiltDataset]:
    """Write the images of arrays, resized, and their labels as IDX files; images with NaN or infinity are left out.

    Yields Progress. Raises UserError if an array is damaged, has an unsupported shape or size or too few different
    images, or labels are requested but missing or invalid.
    """
    images = dataset_arrays.train_images
    class_names, label_sets = _encode_array_labels(dataset_arrays, options)
    shape, value_ranges = yield from survey_array(images, options)
    train = yield from _write_array(images, shape, value_ranges, directory, "train")
    skipped = train.skipped
    if dataset_arrays.test_images is not None:
        test = yield from _write_array(dataset_arrays.test_images, shape, value_ranges, directory, "t10k")
        skipped = [*skipped, *test.skipped]
        if "t10k" in label_sets:
            _write_labels(np.delete(label_sets["t10k"], test.omitted_indices), directory, "t10k")
    records = [*source_files, *skipped]
    _require_usable_images(len(train.digests), f"{images.shape[0]:,} images in {images.display_name}", records)
    class_counts = None
    if class_names is not None and "train" in label_sets:
        train_labels = np.delete(label_sets["train"], train.omitted_indices)
        _write_labels(train_labels, directory, "train")
        class_counts = class_labels.count_labels(class_names, train_labels)
    sizes = Counter({array_conversion.get_image_size(images): len(train.digests)})
    first_copies = yield from train.digests.find_first_copies()
    report = build_report(dataset_arrays.source, shape, value_ranges, first_copies, class_counts, sizes)
    return BuiltDataset(class_names, records, replace(report, omitted_indices=train.omitted_indices))


def survey_array(
    array_file: ArrayFile, options: ImportOptions
) -> Generator[Progress, None, tuple[tuple[int, ...], ValueRanges]]:
    """Choose the shape of the images of an array and the value ranges; yields Progress.

    Raises UserError for a damaged array and for images of an unsupported size.
    """
    count, source_size = array_file.shape[0], array_conversion.get_image_size(array_file)
    if count < MIN_IMAGES:
        raise UserError(
            f"{array_file.display_name} contains {format_count(count, 'image')}; at least {MIN_IMAGES} are needed."
        )
    size = options.size or source_size
    if not image_survey.is_supported_size(size):
        height, width = source_size
        raise UserError(
            f"{array_file.display_name} contains images of {height}x{width} pixels; sides of {MIN_SIDE_PX} to "
            f"{MAX_SIDE_PX} are supported. Resize them, for example with --size 64x64."
        )
    kind = get_sample_kind(array_file.dtype)
    estimator = RangeEstimator(kind)
    survey = array_conversion.survey_array(array_file, estimator)
    is_coloured = yield from _report_progress(survey, count)
    in_colour = is_coloured if options.colour is None else options.colour
    shape = (*size, COLOUR_CHANNELS) if in_colour else size
    if options.value_range is not None:
        return shape, use_range_for_all_kinds(options.value_range, [kind])
    return shape, {kind: estimator.estimate()}


def _report_progress(survey: Generator[int, None, bool], total: int) -> Generator[Progress, None, bool]:
    while True:
        try:
            yield Progress("surveying images", next(survey), total)
        except StopIteration as end:
            return bool(end.value)


@dataclass(frozen=True, slots=True, eq=False)
class _DecodedFiles:
    files: list[FileResult]
    digests: ImageDigests

    @property
    def kinds(self) -> set[SampleKind]:
        return {kind for file in self.files for kind in file.kinds}


def _decode_images(
    paths: list[str],
    shape: tuple[int, ...],
    value_ranges: ValueRanges,
    directory: Path,
    pool: DecodingPool | None,
    decoder: FileDecoder,
) -> Generator[Progress, None, _DecodedFiles]:
    decoded = _DecodedFiles([], ImageDigests())
    with IdxWriter(directory / IMAGES_FILE_TEMPLATE.format("train", 1 + len(shape)), shape) as image_writer:
        for pixels, files in decoder(paths, shape, value_ranges, pool):
            image_writer.add(pixels)
            decoded.digests.add(pixels)
            decoded.files.extend(files)
            yield Progress("decoding images", len(decoded.files), len(paths))
    return decoded


def _build_records(source_files: list[SourceFile], files: list[FileResult]) -> tuple[list[SourceFile], list[int]]:
    """Return the records of all files and skipped pages, and the number of images of each file."""
    records: list[SourceFile] = []
    image_counts = []
    for record, file in zip(source_files, files, strict=True):
        image_counts.append(file.image_count)
        if file.skip_reason is None and file.pages is None and not file.skipped_pages:
            records.append(record)
            continue
        records.append(record._replace(skip_reason=file.skip_reason, pages=file.pages))
        records += [SourceFile(f"{record.relative_path}#{page}", 0, -1, reason) for page, reason in file.skipped_pages]
    return records, image_counts


@dataclass(frozen=True, slots=True, eq=False)
class _WrittenArray:
    digests: ImageDigests
    omitted_indices: tuple[int, ...]
    skipped: list[SourceFile]


def _write_array(
    array_file: ArrayFile, shape: tuple[int, ...], value_ranges: ValueRanges, directory: Path, subset_name: str
) -> Generator[Progress, None, _WrittenArray]:
    digests, omitted_indices, skipped, done = ImageDigests(), [], [], 0
    (value_range, *_) = value_ranges.values()  # arrays of a file that have another type are scaled alike
    with IdxWriter(directory / IMAGES_FILE_TEMPLATE.format(subset_name, 1 + len(shape)), shape) as image_writer:
        for chunk in array_conversion.iter_converted_chunks(array_file, shape, value_range):
            image_writer.add(chunk.pixels)
            digests.add(chunk.pixels)
            for index, reason in chunk.skipped:
                omitted_indices.append(index)
                skipped.append(SourceFile(f"{array_file.display_name}#{index}", 0, -1, reason))
            done += chunk.count
            yield Progress("converting images", done, array_file.shape[0])
    return _WrittenArray(digests, tuple(omitted_indices), skipped)


def _encode_array_labels(
    arrays: DatasetArrays, options: ImportOptions
) -> tuple[ClassNames, dict[str, NDArray[np.uint8]]]:
    """Return the class names, and the class ids [N] of the training and test images by subset name."""
    if not options.labels:
        return options.classes, {}
    if arrays.train_labels is None:
        raise UserError(f"{arrays.files[0]} contains no labels. Omit --labels.")
    is_idx = arrays.files[0].suffix not in (".npy", ".npz")
    label_sets = {"train": _read_labels(arrays.train_labels, arrays.train_images, is_idx)}
    if arrays.test_images is not None and arrays.test_labels is not None:
        label_sets["t10k"] = _read_labels(arrays.test_labels, arrays.test_images, is_idx)
    class_names, class_ids = class_labels.encode_label_sets([*label_sets.values()], options.classes)
    return class_names, dict(zip(label_sets, class_ids, strict=True))


def _read_labels(label_file: ArrayFile, image_file: ArrayFile, is_idx: bool) -> tuple[list[str], str]:
    """Return the labels of the images in an array, [N], and the name of their source."""
    image_count = image_file.shape[0]
    if label_file.shape not in ((image_count,), (image_count, 1)):
        raise UserError(
            f"{label_file.display_name} has the shape {label_file.shape}; one label for each of {image_count:,} images "
            "is needed."
        )
    labels = class_labels.format_labels(label_file.read_all().reshape(-1), is_idx)
    return labels, label_file.display_name


def _write_labels(class_ids: NDArray[np.uint8], directory: Path, subset_name: str) -> None:
    with IdxWriter(directory / LABELS_FILE_TEMPLATE.format(subset_name), ()) as label_writer:
        label_writer.add(class_ids)


def build_report(
    source: str,
    shape: tuple[int, ...],
    value_ranges: ValueRanges,
    first_copies: Indices,
    class_counts: LabelCounts | None,
    source_sizes: Counter[tuple[int, int]],
) -> ImportReport:
    """Return the report of an import; raises UserError if all images are identical."""
    count, duplicate_count = len(first_copies), count_duplicates(first_copies)
    if duplicate_count == count - 1:
        raise UserError(f"All {count:,} images of {source} are identical. At least 2 different ones are needed.")
    return ImportReport(
        source,
        count,
        (shape[0], shape[1]),
        len(shape) == 3,
        {kind: (float(values.black), float(values.white)) for kind, values in value_ranges.items()},
        duplicate_count,
        class_counts.by_class if class_counts else None,
        class_counts.unlabelled if class_counts else 0,
        image_survey.describe_fit(source_sizes, (shape[0], shape[1])),
    )


def _require_usable_images(count: int, candidates: str, records: list[SourceFile]) -> None:
    """Raise UserError for too few images among the candidates, such as "12 files in photos"."""
    if count < MIN_IMAGES:
        problems = (f"{record.relative_path} {record.skip_reason}" for record in records if record.skip_reason)
        hint = next((f" First problem: {problem}." for problem in problems), "")
        raise UserError(f"{count} of {candidates} are usable images; at least {MIN_IMAGES} are needed.{hint}")


def _describe_missing_images(file_list: FileList) -> str:
    skipped = file_list.skipped
    found = f" Not taken: {count_entries(len(skipped))} ({'; '.join(describe_reasons(skipped))})." if skipped else ""
    return (
        f"{file_list.root} contains no images. Use a directory of image files such as PNG, JPEG and TIFF, or of IDX "
        f"files.{found}"
    )

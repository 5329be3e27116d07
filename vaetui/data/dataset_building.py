"""Write an imported dataset as IDX files: images decoded to one size, and their labels."""

from __future__ import annotations

import os
import statistics
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.data import array_conversion, class_labels
from vaetui.data.array_files import ArrayFile
from vaetui.data.array_roles import DatasetArrays
from vaetui.data.image_files import UnusableImageError, survey_image
from vaetui.data.image_folder import FileList
from vaetui.data.import_options import ImportOptions
from vaetui.data.parallel_decoding import FileResult, decode_files
from vaetui.engine.events import Progress
from vaetui.engine.idx import COLOUR_CHANNELS, MAX_SIDE_PX, MIN_IMAGES, MIN_SIDE_PX
from vaetui.errors import UserError
from vaetui.storage.dataset_cache import IdxWriter, SourceFile

SIZE_SAMPLE_IMAGES = 200
"""Number of images whose sizes decide the size of the dataset."""
MAX_SMALL_SIDE_PX, SMALL_IMAGE_SIZE_PX = 48, (28, 28)
"""If the median of the longer sides is at most MAX_SMALL_SIDE_PX, images are resized to SMALL_IMAGE_SIZE_PX, else to
the largest supported size."""
COLOUR_SAMPLE_IMAGES = 40
"""Number of images that decide whether the dataset keeps colours."""
MIN_COLOUR_SHARE = 0.1
"""Share of coloured images in that sample above which the dataset keeps colours."""
IMAGES_FILE_TEMPLATE, LABELS_FILE_TEMPLATE = "{}-images-idx{}-ubyte", "{}-labels-idx1-ubyte"
ClassNames = tuple[str, ...] | None


def build_from_files(
    file_list: FileList, options: ImportOptions, file_records: list[SourceFile], directory: Path
) -> Generator[Progress, None, tuple[ClassNames, list[SourceFile]]]:
    """Decode image files and write them, with their labels, as IDX files.

    Yields Progress. Returns the class names and the file records with the reasons for skipping. Raises UserError if
    there are too few usable images, or labels are requested but missing or invalid.
    """
    paths = [os.path.join(file_list.root, path) for path in file_list.relative_paths]
    if not paths:
        raise UserError(
            f"{file_list.root} contains no images. Supported are PNG, JPEG, TIFF, BMP and WebP files, and IDX files."
        )
    class_names, labels = options.classes, None
    if options.labels:
        if file_list.labels is None:
            raise UserError(f"{file_list.root} has images outside its class directories. Move them, or omit --labels.")
        class_names, labels = class_labels.encode_labels(file_list.labels, options.classes, str(file_list.root))
    yield Progress("checking image sizes", 0, 1)
    in_colour = _should_keep_colour(paths) if options.colour is None else options.colour
    shape = _build_shape(options.size or _choose_size(paths), in_colour)
    results: list[FileResult] = []
    with IdxWriter(directory / IMAGES_FILE_TEMPLATE.format("train", 1 + len(shape)), shape) as image_writer:
        for pixels, batch_results in decode_files(paths, shape):
            image_writer.add(pixels)
            results += batch_results
            yield Progress("decoding images", len(results), len(paths))
    records = [
        record._replace(skip_reason=result.skip_reason, pages=result.pages)
        for record, result in zip(file_records, results, strict=False)
    ] + file_records[len(paths) :]
    if image_writer.count < MIN_IMAGES:
        problems = (f"{record.relative_path} {record.skip_reason}" for record in records if record.skip_reason)
        hint = next((f" First problem: {problem}." for problem in problems), "")
        raise UserError(
            f"{image_writer.count} of {len(records)} files in {file_list.root} are usable images; at least "
            f"{MIN_IMAGES} are needed.{hint}"
        )
    if labels is not None:
        with IdxWriter(directory / LABELS_FILE_TEMPLATE.format("train"), ()) as label_writer:
            label_writer.add(np.repeat(labels, [result.image_count for result in results]))
    return class_names, records


def build_from_arrays(
    dataset_arrays: DatasetArrays, options: ImportOptions, directory: Path
) -> Generator[Progress, None, ClassNames]:
    """Write the images of arrays, resized, and their labels as IDX files.

    Yields Progress. Returns the class names. Raises UserError if an array is damaged, has an unsupported shape or size
    or too few images, or labels are requested but missing or invalid.
    """
    train_images, train_labels = dataset_arrays.train_images, dataset_arrays.train_labels
    class_names = options.classes
    in_colour = array_conversion.is_coloured_array(train_images) if options.colour is None else options.colour
    subsets = [("train", train_images, train_labels)]
    if dataset_arrays.test_images is not None:
        subsets.append(("t10k", dataset_arrays.test_images, dataset_arrays.test_labels))
    train_label_texts: list[str] = []
    if options.labels:
        if train_labels is None:
            raise UserError(f"{dataset_arrays.files[0]} contains no labels. Omit --labels.")
        train_label_texts = _read_label_texts(train_labels, train_images.shape[0])
        class_names, _ = class_labels.encode_labels(train_label_texts, options.classes, str(dataset_arrays.files[0]))
    for subset_name, images, labels in subsets:
        yield from _write_resized_images(images, options.size, in_colour, directory, subset_name)
        if options.labels and labels is not None:
            texts = train_label_texts if subset_name == "train" else _read_label_texts(labels, images.shape[0])
            with IdxWriter(directory / LABELS_FILE_TEMPLATE.format(subset_name), ()) as label_writer:
                label_writer.add(class_labels.encode_labels(texts, class_names, labels.display_name)[1])
    return class_names


def _write_resized_images(
    array_file: ArrayFile, size: tuple[int, int] | None, in_colour: bool, directory: Path, subset_name: str
) -> Generator[Progress, None, None]:
    count = array_file.shape[0]
    if count < MIN_IMAGES:
        raise UserError(f"{array_file.display_name} contains {count} images; at least {MIN_IMAGES} are needed.")
    source_size = array_conversion.get_image_size(array_file)
    shape = _build_shape(size or source_size, in_colour)
    if not _is_supported_size(shape[:2]):
        height, width = source_size
        raise UserError(
            f"{array_file.display_name} contains images of {height}x{width} pixels; sides of {MIN_SIDE_PX} to "
            f"{MAX_SIDE_PX} are supported. Resize them, for example with --size 64x64."
        )
    with IdxWriter(directory / IMAGES_FILE_TEMPLATE.format(subset_name, 1 + len(shape)), shape) as image_writer:
        for pixels in array_conversion.iter_resized_pixels(array_file, shape):
            image_writer.add(pixels)
            yield Progress("converting images", image_writer.count, count)


def _read_label_texts(label_file: ArrayFile, image_count: int) -> list[str]:
    if label_file.shape not in ((image_count,), (image_count, 1)):
        raise UserError(
            f"{label_file.display_name} has shape {label_file.shape}; one label for each of {image_count:,} images is "
            "needed."
        )
    values: NDArray[Any] = label_file.read_all().reshape(-1)
    if values.dtype.kind == "f" and (values == values.round()).all():
        values = values.astype(np.int64)
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values.tolist()]


def _build_shape(size: tuple[int, int], in_colour: bool) -> tuple[int, ...]:
    return (*size, COLOUR_CHANNELS) if in_colour else size


def _is_supported_size(size: tuple[int, ...]) -> bool:
    return all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in size)


def _should_keep_colour(paths: Sequence[str]) -> bool:
    sample = paths[:: max(len(paths) // COLOUR_SAMPLE_IMAGES, 1)]
    coloured_count = 0
    for path in sample:
        with suppress(UnusableImageError):
            coloured_count += survey_image(path).is_coloured
    return coloured_count > MIN_COLOUR_SHARE * len(sample)


def _choose_size(paths: Sequence[str]) -> tuple[int, int]:
    sizes = []
    for path in paths[:: max(len(paths) // SIZE_SAMPLE_IMAGES, 1)]:
        with suppress(UnusableImageError):
            sizes.append(survey_image(path).size)
    if sizes and len(set(sizes)) == 1 and _is_supported_size(sizes[0]):
        return sizes[0]
    median_side = statistics.median([max(size) for size in sizes] or [0])
    return SMALL_IMAGE_SIZE_PX if median_side <= MAX_SMALL_SIDE_PX else (MAX_SIDE_PX, MAX_SIDE_PX)

"""What was found is written as a set, decoded and brought to one size; it does not know where sets live."""

from __future__ import annotations

import os
import statistics
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.data import class_labels, resizing
from vaetui.data.array_files import ArrayFile
from vaetui.data.array_roles import DatasetArrays
from vaetui.data.image_files import UnusableImageError, is_coloured_file, read_size
from vaetui.data.image_folder import FileList
from vaetui.data.import_options import ImportOptions
from vaetui.data.parallel_decoding import decode_files
from vaetui.engine.events import Progress
from vaetui.engine.idx import COLOUR_CHANNELS, MAX_SIDE_PX, MIN_IMAGES, MIN_SIDE_PX
from vaetui.errors import UserError
from vaetui.storage.dataset_cache import IdxWriter, SourceFile

SIZE_SAMPLE_IMAGES = 200
"""Pictures whose size is looked at before one for all is chosen."""
SMALL_SIDE_PX, DEFAULT_SIZE_PX = 48, (28, 28)
"""Pictures whose longer side has up to so many pixels in the median become so large; others as large as can be used."""
COLOUR_SAMPLE_IMAGES = 40
"""Pictures that are looked at for colours before it is chosen whether all are kept in colour."""
MIN_COLOUR_SHARE = 0.1
"""Share of them that shows colours, from which on all are."""
IMAGES_FILE_TEMPLATE, LABELS_FILE_TEMPLATE = "{}-images-idx{}-ubyte", "{}-labels-idx1-ubyte"
ClassNames = tuple[str, ...] | None


def build_from_files(
    file_list: FileList, options: ImportOptions, file_records: Sequence[SourceFile], directory: Path
) -> Generator[Progress, None, tuple[ClassNames, list[SourceFile]]]:
    """Write pictures and labels; gives the classes, and what was looked at with why it was skipped."""
    paths = [os.path.join(file_list.root, name) for name in file_list.relative_paths]
    if not paths:
        raise UserError(
            f"{file_list.root} holds no images; PNG, JPEG, TIFF, BMP and WebP files are decoded, and IDX files are read."
        )
    classes, labels = options.classes, None
    if options.labels:
        if file_list.labels is None:
            raise UserError(
                f"Not all pictures below {file_list.root} lie in a directory of their class; leave --labels away."
            )
        classes, labels = class_labels.encode_labels(file_list.labels, options.classes, str(file_list.root))
    yield Progress("looking at some of the images", 0, 1)
    shape = _build_shape(
        options.size or _choose_size(paths), _choose_colour(paths) if options.colour is None else options.colour
    )
    reasons: list[str | None] = []
    with IdxWriter(directory / IMAGES_FILE_TEMPLATE.format("train", 1 + len(shape)), shape) as images:
        for pixels, why in decode_files(paths, shape):
            images.add(pixels)
            reasons += why
            yield Progress("decoding the images", len(reasons), len(paths))
    told = [
        SourceFile(it.relative_path, it.size_bytes, it.modified_ns, why)
        for it, why in zip(file_records, reasons, strict=False)
    ]
    told += file_records[len(paths) :]
    if images.count < MIN_IMAGES:
        first = next((f"; the first: {it.relative_path} {it.skip_reason}" for it in told if it.skip_reason), "")
        raise UserError(
            f"Of {len(told)} files in {file_list.root} {images.count} can be used; at least {MIN_IMAGES} are needed{first}."
        )
    if labels is not None:
        with IdxWriter(directory / LABELS_FILE_TEMPLATE.format("train"), ()) as file:
            file.add(labels[np.array([why is None for why in reasons])])
    return classes, told


def build_from_arrays(
    dataset_arrays: DatasetArrays, options: ImportOptions, directory: Path
) -> Generator[Progress, None, ClassNames]:
    """Write the images of arrays, and their labels; gives the classes."""
    classes, given = options.classes, [("train", dataset_arrays.train_images, dataset_arrays.train_labels)]
    colour = resizing.is_coloured_array(dataset_arrays.train_images) if options.colour is None else options.colour
    if dataset_arrays.test_images is not None:
        given.append(("t10k", dataset_arrays.test_images, dataset_arrays.test_labels))
    names: list[str] = []
    if options.labels:
        if dataset_arrays.train_labels is None:
            raise UserError(f"{dataset_arrays.files[0]} holds no labels of its images; leave --labels away.")
        names = _read_label_texts(dataset_arrays.train_labels, dataset_arrays.train_images.shape[0])
        classes, _ = class_labels.encode_labels(names, options.classes, str(dataset_arrays.files[0]))
    for stem, stack, labels in given:
        yield from _write_resized(stack, options.size, colour, directory, stem)
        if options.labels and labels is not None:
            words = names if stem == "train" else _read_label_texts(labels, stack.shape[0])
            with IdxWriter(directory / LABELS_FILE_TEMPLATE.format(stem), ()) as file:
                file.add(class_labels.encode_labels(words, classes, labels.display_name)[1])
    return classes


def _write_resized(
    array_file: ArrayFile, size: tuple[int, int] | None, in_colour: bool, directory: Path, stem: str
) -> Generator[Progress, None, None]:
    count = array_file.shape[0]
    if count < MIN_IMAGES:
        raise UserError(f"{array_file.display_name} holds {count} images; at least {MIN_IMAGES} are needed.")
    own = resizing.get_image_size(array_file)
    shape = _build_shape(size or own, in_colour)
    if not all(MIN_SIDE_PX <= each <= MAX_SIDE_PX for each in shape[:2]):
        raise UserError(
            f"{array_file.display_name} holds images of {own[0]}x{own[1]} pixels; bring them to --size 64x64 or less."
        )
    with IdxWriter(directory / IMAGES_FILE_TEMPLATE.format(stem, 1 + len(shape)), shape) as file:
        for pixels in resizing.resize_array(array_file, shape):
            file.add(pixels)
            yield Progress("converting the images", file.count, count)


def _read_label_texts(label_file: ArrayFile, image_count: int) -> list[str]:
    if label_file.shape not in ((image_count,), (image_count, 1)):
        raise UserError(
            f"{label_file.display_name} has the shape {label_file.shape}; one label for each of {image_count:,} images is needed."
        )
    values: NDArray[Any] = label_file.read_all().reshape(-1)
    if values.dtype.kind == "f" and (values == values.round()).all():
        values = values.astype(np.int64)
    return [each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each) for each in values.tolist()]


def _build_shape(size: tuple[int, int], in_colour: bool) -> tuple[int, ...]:
    return (*size, COLOUR_CHANNELS) if in_colour else size


def _choose_colour(paths: Sequence[str]) -> bool:
    """Choose whether all pictures are kept in colour by some of them."""
    some = paths[:: max(len(paths) // COLOUR_SAMPLE_IMAGES, 1)]
    return sum(map(is_coloured_file, some)) > MIN_COLOUR_SHARE * len(some)


def _choose_size(paths: Sequence[str]) -> tuple[int, int]:
    """Choose one size for all pictures by some of them."""
    found = []
    for path in paths[:: max(len(paths) // SIZE_SAMPLE_IMAGES, 1)]:
        try:
            found.append(read_size(path))
        except UnusableImageError:
            continue
    if found and len(set(found)) == 1 and all(MIN_SIDE_PX <= each <= MAX_SIDE_PX for each in found[0]):
        return found[0]
    longer = statistics.median([max(each) for each in found] or [0])
    return DEFAULT_SIZE_PX if longer <= SMALL_SIDE_PX else (MAX_SIDE_PX, MAX_SIDE_PX)

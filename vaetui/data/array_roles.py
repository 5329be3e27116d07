"""Choose which arrays of a file are training images, test images and their labels."""

from __future__ import annotations

import os
import re
from pathlib import Path

from vaetui.data.array_files import (
    ArrayFile,
    DatasetArrays,
    open_idx_array,
    open_idx_file,
    open_idx_images,
    open_npy,
    translate_read_errors,
)
from vaetui.data.array_layout import arrange_axes, describe_alpha
from vaetui.data.image_files import StrPath
from vaetui.data.image_formats import get_suffix
from vaetui.data.import_options import ImportOptions
from vaetui.data.npz_selection import select_npz_arrays
from vaetui.engine.idx import find_idx_files
from vaetui.errors import UserError

IDX_NAME = re.compile(r"idx(?!.*\.(png|jpe?g|tiff?|bmp|webp|gif)$)", re.IGNORECASE)
"""The name of an IDX file contains "idx"; that of an image may, too."""


def is_array_path(path: StrPath) -> bool:
    """Return whether a path has the name of an array or IDX file."""
    return get_suffix(path) in (".npy", ".npz") or IDX_NAME.search(os.path.basename(path)) is not None


def find_dataset_arrays(
    path: Path, options: ImportOptions, expected_size: tuple[int, int] | None = None
) -> DatasetArrays:
    """Find the arrays in an npy, npz or IDX file or a directory of IDX files.

    `expected_size`, height and width, decides if the order of the axes would be ambiguous otherwise. Raises UserError
    for damaged files and other formats, and if it is not clear which array, or which order of its axes, is meant.
    """
    if os.path.isdir(path):
        return _find_idx_arrays(path, options)
    if os.path.exists(path) and not os.path.isfile(path):
        raise UserError(f"{path} is not a regular file. Pass a directory or file of images.")  # a pipe would block
    suffix = _identify_suffix(path)
    if suffix == ".npz":
        return select_npz_arrays(path, options, expected_size)
    if suffix == ".npy":
        array, kind = open_npy(path), "array of"
    elif IDX_NAME.search(path.name):
        array, kind = open_idx_file(path), "IDX file"
    else:
        raise UserError(
            f"{path} is not in a supported format. Use a directory of images or IDX files, or a file whose name ends "
            "in .npy, .npz, .csv, .tsv, .txt or idx3-ubyte."
        )
    if options.image_key is not None or options.label_key is not None:
        flag = "--labels" if options.image_key is None else "--images"
        raise UserError(f"{path} contains a single array, so {flag} cannot choose one. Pass {flag} with an npz file.")
    images = arrange_axes(array, options.axes, expected_size=expected_size)
    return DatasetArrays((path,), images, source=f"{kind} {path.name}{describe_alpha(images)}")


def _identify_suffix(path: Path) -> str:
    """Return the suffix of a file in lower case; npy and npz files are recognised by their first bytes."""
    suffix = path.suffix.lower()
    if suffix in (".npy", ".npz"):
        with translate_read_errors(str(path)), path.open("rb") as file:
            suffix = {b"PK": ".npz", b"\x93N": ".npy"}.get(file.read(2), suffix)
    return suffix


def _find_idx_arrays(directory: Path, options: ImportOptions) -> DatasetArrays:
    idx_files = find_idx_files(directory)
    optional_paths = (idx_files.train_labels, idx_files.test_images, idx_files.test_labels)
    train_labels, test_images, test_labels = optional_paths
    source = f"IDX file {idx_files.train_images.name} of {directory.name}"
    source += f", labels {train_labels.name}" if train_labels and options.labels else ""
    source += f", test images {test_images.name}" if test_images else ""
    images = _arrange_idx_images(idx_files.train_images, options)
    return DatasetArrays(
        (idx_files.train_images, *(path for path in optional_paths if path)),
        images,
        open_idx_array(train_labels, 1) if train_labels else None,
        _arrange_idx_images(test_images, options) if test_images else None,
        open_idx_array(test_labels, 1) if test_labels else None,
        source,
    )


def _arrange_idx_images(path: Path, options: ImportOptions) -> ArrayFile:
    array = open_idx_images(path)
    # In directories named like MNIST's, the first axis always counts the images.
    return arrange_axes(array, options.axes, expected_size=(array.shape[1], array.shape[2]))

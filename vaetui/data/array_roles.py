"""Choose which arrays of a file are training images, test images and their labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vaetui.data.array_files import ArrayFile, open_idx_array, open_idx_images, open_npy, open_npz
from vaetui.data.import_options import ImportOptions
from vaetui.engine.idx import find_idx_files
from vaetui.errors import UserError

IMAGE_KEYS = ("x_train", "train_images", "images", "image", "x", "data", "arr_0")
"""Usual names of the images in an npz file."""
LABEL_KEYS = ("y_train", "train_labels", "labels", "label", "y", "targets", "target", "arr_1")
"""Usual names of their labels."""
TEST_KEYS = (("x_test", "y_test"), ("test_images", "test_labels"))
"""Usual names of test images and their labels."""


@dataclass(frozen=True, slots=True)
class DatasetArrays:
    """The arrays of a dataset."""

    files: tuple[Path, ...]
    """The files that contain them."""
    train_images: ArrayFile
    """The images to label, [N, H, W] or with channels before H or after W."""
    train_labels: ArrayFile | None = None
    """Their labels, [N]."""
    test_images: ArrayFile | None = None
    """The test images, shaped as the training images."""
    test_labels: ArrayFile | None = None
    """Their labels."""


def find_dataset_arrays(path: Path, options: ImportOptions) -> DatasetArrays:
    """Find the arrays in an npy, npz or IDX file or a directory of IDX files; raises UserError for anything else."""
    if path.is_dir():
        idx_files = find_idx_files(path)
        optional_paths = (idx_files.train_labels, idx_files.test_images, idx_files.test_labels)
        train_labels, test_images, test_labels = optional_paths
        return DatasetArrays(
            (idx_files.train_images, *(path for path in optional_paths if path)),
            open_idx_images(idx_files.train_images),
            open_idx_array(train_labels, 1) if train_labels else None,
            open_idx_images(test_images) if test_images else None,
            open_idx_array(test_labels, 1) if test_labels else None,
        )
    if path.suffix.lower() == ".npy":
        return DatasetArrays((path,), open_npy(path))
    if path.suffix.lower() == ".npz":
        return _select_npz_arrays(path, options)
    if "idx" in path.name:
        return DatasetArrays((path,), open_idx_images(path))
    raise UserError(
        f"{path} is not in a supported format. Use a directory of images or IDX files, or a file whose name ends in "
        ".npy, .npz, .csv, .tsv or idx3-ubyte."
    )


def _select_npz_arrays(path: Path, options: ImportOptions) -> DatasetArrays:
    arrays = open_npz(path)
    image_arrays = {name: array for name, array in arrays.items() if len(array.shape) in (3, 4)}
    train_key = next((name for name in IMAGE_KEYS if name in image_arrays), next(iter(image_arrays), None))
    if train_key is None:
        raise UserError(
            f"{path} contains no images. It needs an array of shape (N, height, width), optionally with channels."
        )
    if options.label_key is not None and options.label_key not in arrays:
        raise UserError(f"{path} has no array {options.label_key}. Choose from: {', '.join(sorted(arrays))}.")
    label_key = options.label_key or next((name for name in LABEL_KEYS if name in arrays), None)
    test_keys = (keys for keys in TEST_KEYS if keys[0] in image_arrays and keys[0] != train_key)
    test_key, test_label_key = next(test_keys, (None, None))
    return DatasetArrays(
        (path,),
        image_arrays[train_key],
        arrays[label_key] if label_key else None,
        image_arrays[test_key] if test_key else None,
        arrays.get(test_label_key) if test_label_key else None,
    )

"""Which arrays of a file are images, labels, and images that only measure; it reads none of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vaetui.data.array_files import ArrayFile, open_idx, open_idx_images, open_npy, open_npz
from vaetui.data.import_options import ImportOptions
from vaetui.engine.idx import find_idx_files
from vaetui.errors import UserError

IMAGE_KEYS = ("x_train", "train_images", "images", "image", "x", "data", "arr_0")
"""Usual names of the images in an npz file."""
LABEL_KEYS = ("y_train", "train_labels", "labels", "label", "y", "targets", "target", "arr_1")
"""Usual names of their labels."""
TEST_KEYS = (("x_test", "y_test"), ("test_images", "test_labels"))
"""Usual names of images that only measure, and of their labels."""


@dataclass(frozen=True, slots=True)
class DatasetArrays:
    """Arrays of images."""

    files: tuple[Path, ...]
    """The files that they are in."""
    train_images: ArrayFile
    """Images to be labelled, [N, H, W] with or without channels."""
    train_labels: ArrayFile | None = None
    """Their labels, [N]."""
    test_images: ArrayFile | None = None
    """Images that only measure."""
    test_labels: ArrayFile | None = None
    """Their labels."""


def find_arrays(path: Path, options: ImportOptions) -> DatasetArrays:
    """Find the arrays in an npy, npz or IDX file, or in a directory of IDX files, or raise Trouble."""
    if path.is_dir():
        found = find_idx_files(path)
        labels, tested, measured = found.train_labels, found.test_images, found.test_labels
        return DatasetArrays(
            tuple(each for each in (found.train_images, labels, tested, measured) if each),
            open_idx_images(found.train_images),
            open_idx(labels, 1) if labels else None,
            open_idx_images(tested) if tested else None,
            open_idx(measured, 1) if measured else None,
        )
    if path.suffix.lower() == ".npy":
        return DatasetArrays((path,), open_npy(path))
    if path.suffix.lower() == ".npz":
        return _select_npz_arrays(path, options)
    if "idx" in path.name:
        return DatasetArrays((path,), open_idx_images(path))
    raise UserError(
        f"{path} is no form of images that is known; give a directory of pictures or IDX files, or a file that ends in "
        ".npy, .npz, .csv, .tsv or idx3-ubyte."
    )


def _select_npz_arrays(path: Path, options: ImportOptions) -> DatasetArrays:
    arrays = open_npz(path)
    images = {name: it for name, it in arrays.items() if len(it.shape) in (3, 4)}
    named = next((name for name in IMAGE_KEYS if name in images), next(iter(images), None))
    if named is None:
        raise UserError(f"{path} holds no array of images; one of shape (N, height, width) or with channels is needed.")
    if options.column is not None and options.column not in arrays:
        raise UserError(f"{path} holds no array {options.column}; its arrays are {', '.join(sorted(arrays))}.")
    tested = next((pair for pair in TEST_KEYS if pair[0] in images and pair[0] != named), (None, None))
    return DatasetArrays(
        (path,),
        images[named],
        arrays[options.column]
        if options.column
        else next((arrays[name] for name in LABEL_KEYS if name in arrays), None),
        images[tested[0]] if tested[0] else None,
        arrays.get(tested[1]) if tested[1] else None,
    )

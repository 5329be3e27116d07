"""Which arrays of a file are images, labels, and images that only measure; it reads none of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vaetui.data.array_files import Stack, of_idx, of_images, of_npy, of_npz
from vaetui.data.import_options import Wish
from vaetui.engine.idx import locate
from vaetui.errors import Trouble

IMAGES = ("x_train", "train_images", "images", "image", "x", "data", "arr_0")
"""Usual names of the images in an npz file."""
LABELS = ("y_train", "train_labels", "labels", "label", "y", "targets", "target", "arr_1")
"""Usual names of their labels."""
TESTED = (("x_test", "y_test"), ("test_images", "test_labels"))
"""Usual names of images that only measure, and of their labels."""


@dataclass(frozen=True, slots=True)
class Stacked:
    """Arrays of images."""

    files: tuple[Path, ...]
    """The files that they are in."""
    train: Stack
    """Images to be labelled, [N, H, W] with or without channels."""
    labels: Stack | None = None
    """Their labels, [N]."""
    tested: Stack | None = None
    """Images that only measure."""
    tested_labels: Stack | None = None
    """Their labels."""


def find_stacks(path: Path, wish: Wish) -> Stacked:
    """Find the arrays in an npy, npz or IDX file, or in a directory of IDX files, or raise Trouble."""
    if path.is_dir():
        found = locate(path)
        labels, tested, measured = found.train_labels, found.test_images, found.test_labels
        return Stacked(
            tuple(each for each in (found.train_images, labels, tested, measured) if each),
            of_images(found.train_images),
            of_idx(labels, 1) if labels else None,
            of_images(tested) if tested else None,
            of_idx(measured, 1) if measured else None,
        )
    if path.suffix.lower() == ".npy":
        return Stacked((path,), of_npy(path))
    if path.suffix.lower() == ".npz":
        return _of_npz(path, wish)
    if "idx" in path.name:
        return Stacked((path,), of_images(path))
    raise Trouble(
        f"{path} is no form of images that is known; give a directory of pictures or IDX files, or a file that ends in "
        ".npy, .npz, .csv, .tsv or idx3-ubyte."
    )


def _of_npz(path: Path, wish: Wish) -> Stacked:
    arrays = of_npz(path)
    images = {name: it for name, it in arrays.items() if len(it.shape) in (3, 4)}
    named = next((name for name in IMAGES if name in images), next(iter(images), None))
    if named is None:
        raise Trouble(f"{path} holds no array of images; one of shape (N, height, width) or with channels is needed.")
    if wish.column is not None and wish.column not in arrays:
        raise Trouble(f"{path} holds no array {wish.column}; its arrays are {', '.join(sorted(arrays))}.")
    tested = next((pair for pair in TESTED if pair[0] in images and pair[0] != named), (None, None))
    return Stacked(
        (path,),
        images[named],
        arrays[wish.column] if wish.column else next((arrays[name] for name in LABELS if name in arrays), None),
        images[tested[0]] if tested[0] else None,
        arrays.get(tested[1]) if tested[1] else None,
    )

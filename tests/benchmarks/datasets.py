"""Labelled image sets that recipes are measured on, as directories of IDX files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from sklearn.datasets import load_digits, load_sample_images

from tests.idx import MNIST_DIRECTORY, write_idx
from vaetui.engine.images import read_idx_array

FASHION = Path("/usr/share/datasets/fashion-mnist")
"""Directory of Debian's package dataset-fashion-mnist."""
IMBALANCED_CLASS_SHARES = (0.30, 0.18, 0.13, 0.10, 0.08, 0.07, 0.06, 0.04, 0.03, 0.01)
IMBALANCED_IMAGES = 20_000
COLOUR_IMAGES = BACKGROUND_IMAGES = 20_000
ENLARGED_SUFFIX, ENLARGED_SIDE = "-64", 64
ENLARGED_IMAGES = {"train": 10_000, "t10k": 2_000}


def find_dataset(name: str, cache: Path) -> Path:
    """Return the directory of an image set; sets that no package ships are made below `cache`.

    Photographs, such as those of CIFAR-10, come from a file `cache`/NAME.npz with images and labels of both subsets:
    x_train, y_train, x_test and y_test. NAME-64 contains a part of the colour set NAME enlarged to 64x64 pixels.
    """
    if name == "mnist":
        return MNIST_DIRECTORY
    if name == "fashion":
        return FASHION
    directory = cache / name
    if not directory.exists():
        directory.mkdir(parents=True)
        archive = cache / f"{name}.npz"
        if archive.exists():
            _unpack_archive(archive, directory)
            return directory
        if name.endswith(ENLARGED_SUFFIX):
            _enlarge(find_dataset(name.removesuffix(ENLARGED_SUFFIX), cache), directory)
            return directory
        makers = {
            "digits": _make_digits,
            "imbalanced": _make_imbalanced,
            "coloured": _make_coloured,
            "background": _make_background,
        }
        makers.get(name, _make_resized)(directory)
    return directory


def load_subset(directory: Path, subset: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return images and labels of the subset "train" or "t10k"."""
    suffix = ".gz" if (directory / f"{subset}-labels-idx1-ubyte.gz").exists() else ""
    images = read_idx_array(directory / f"{subset}-images-idx3-ubyte{suffix}", 3)
    return images, read_idx_array(directory / f"{subset}-labels-idx1-ubyte{suffix}", 1)


def _unpack_archive(archive: Path, directory: Path) -> None:
    with np.load(archive, allow_pickle=False) as arrays:
        for subset, key in (("train", "train"), ("t10k", "test")):
            images, labels = arrays[f"x_{key}"], arrays[f"y_{key}"].astype(np.uint8)
            write_idx(directory / f"{subset}-images-idx{images.ndim}-ubyte", images)
            write_idx(directory / f"{subset}-labels-idx1-ubyte", labels)


def _enlarge(source: Path, directory: Path) -> None:
    size = (ENLARGED_SIDE, ENLARGED_SIDE)
    for subset, count in ENLARGED_IMAGES.items():
        images = read_idx_array(source / f"{subset}-images-idx4-ubyte", 4)[:count]
        enlarged = [np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)) for image in images]
        write_idx(directory / f"{subset}-images-idx4-ubyte", np.stack(enlarged))
        labels = read_idx_array(source / f"{subset}-labels-idx1-ubyte", 1)[:count]
        write_idx(directory / f"{subset}-labels-idx1-ubyte", labels)


def _make_digits(directory: Path) -> None:
    digits = load_digits()
    images, labels = (digits.images * 255 / 16).astype(np.uint8), digits.target.astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(images))
    test_count = len(images) // 5
    _write_subset(directory, "t10k", images[order[:test_count]], labels[order[:test_count]])
    _write_subset(directory, "train", images[order[test_count:]], labels[order[test_count:]])


def _make_imbalanced(directory: Path) -> None:
    images, labels = load_subset(MNIST_DIRECTORY, "train")
    rng = np.random.default_rng(1)
    chosen = []
    for class_id, share in zip(rng.permutation(10), IMBALANCED_CLASS_SHARES, strict=True):
        candidates = np.flatnonzero(labels == class_id)
        count = min(len(candidates), round(share * IMBALANCED_IMAGES))
        chosen.append(rng.choice(candidates, count, replace=False))
    order = rng.permutation(np.concatenate(chosen))
    _write_subset(directory, "train", images[order], labels[order])
    _write_subset(directory, "t10k", *load_subset(MNIST_DIRECTORY, "t10k"))


def _make_coloured(directory: Path) -> None:
    """Colour digits with any bright colour on any dark background, independent of their classes."""
    rng = np.random.default_rng(3)
    for subset, count in (("train", COLOUR_IMAGES), ("t10k", 10_000)):
        images, labels = load_subset(MNIST_DIRECTORY, subset)
        foregrounds, backgrounds = (rng.integers(low, low + 128, (count, 1, 1, 3)) for low in (128, 0))
        alpha = images[:count, ..., None] / 255
        coloured = (alpha * foregrounds + (1 - alpha) * backgrounds).round().astype(np.uint8)
        write_idx(directory / f"{subset}-images-idx4-ubyte", coloured)
        write_idx(directory / f"{subset}-labels-idx1-ubyte", labels[:count])


def _make_background(directory: Path) -> None:
    """Put digits on patches of photographs (Larochelle et al. 2007, MNIST-back-image)."""
    photographs = [np.asarray(Image.fromarray(image).convert("L")) for image in load_sample_images().images]
    rng = np.random.default_rng(4)
    for subset, count in (("train", BACKGROUND_IMAGES), ("t10k", 10_000)):
        images, labels = load_subset(MNIST_DIRECTORY, subset)
        side, images = images.shape[1], images[:count].copy()
        for image in images:
            photograph = photographs[rng.integers(len(photographs))]
            top, left = rng.integers(np.array(photograph.shape) - side + 1)
            np.maximum(image, photograph[top : top + side, left : left + side], out=image)
        _write_subset(directory, subset, images, labels[:count])


def _make_resized(directory: Path) -> None:
    """Take as many images of MNIST as the directory's name says; more than 60,000 by small rotations and shifts."""
    images, labels = load_subset(MNIST_DIRECTORY, "train")
    count, rng = int(directory.name), np.random.default_rng(2)
    copies = [images]
    for _ in range(-(-count // len(images)) - 1):
        rotated = ndimage.rotate(images, rng.uniform(-8, 8), axes=(1, 2), reshape=False, order=1)
        copies.append(np.roll(rotated, rng.integers(-1, 2, 2), axis=(1, 2)))
    order = rng.permutation(len(images) * len(copies))[:count]
    _write_subset(directory, "train", np.concatenate(copies)[order], np.tile(labels, len(copies))[order])
    _write_subset(directory, "t10k", *load_subset(MNIST_DIRECTORY, "t10k"))


def _write_subset(directory: Path, subset: str, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    write_idx(directory / f"{subset}-images-idx3-ubyte", images)
    write_idx(directory / f"{subset}-labels-idx1-ubyte", labels)

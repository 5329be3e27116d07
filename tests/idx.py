"""Writes IDX files, whole and shortened, for tests."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.images import read_idx_array

MNIST_DIRECTORY = Path(__file__).parent.parent / "assets/mnist"


def encode_idx(array: NDArray[np.uint8]) -> bytes:
    """Return an array as the content of an IDX file."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(path: Path, array: NDArray[np.uint8]) -> Path:
    """Write an IDX file, compressed if its name ends in .gz, and return its path."""
    content = encode_idx(array)
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)
    return path


def write_small_mnist(directory: Path, train: int, test: int) -> Path:
    """Write the first training and test images of MNIST with their labels, and return the directory."""
    directory.mkdir(exist_ok=True)
    for prefix, count in (("train", train), ("t10k", test)):
        images = read_idx_array(MNIST_DIRECTORY / f"{prefix}-images-idx3-ubyte.gz", 3)[:count]
        labels = read_idx_array(MNIST_DIRECTORY / f"{prefix}-labels-idx1-ubyte.gz", 1)[:count]
        write_idx(directory / f"{prefix}-images-idx3-ubyte", images)
        write_idx(directory / f"{prefix}-labels-idx1-ubyte", labels)
    return directory


def shuffle_train_labels(directory: Path) -> None:
    """Permute the labels of the training images at random."""
    path = directory / "train-labels-idx1-ubyte"
    labels = read_idx_array(path, 1)
    shuffled_labels = np.random.default_rng(0).permutation(labels)
    assert not np.array_equal(labels, shuffled_labels)
    write_idx(path, shuffled_labels)

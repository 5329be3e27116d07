"""Writes IDX files, so that tests can have small and damaged ones."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.images import read_idx

MNIST = Path(__file__).parent.parent / "assets/mnist"


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(path: Path, array: NDArray[np.uint8]) -> Path:
    content = idx_bytes(array)
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)
    return path


def small_mnist(directory: Path, train: int, test: int) -> Path:
    directory.mkdir(exist_ok=True)
    for stem, count in (("train", train), ("t10k", test)):
        images = read_idx(MNIST / f"{stem}-images-idx3-ubyte.gz", 3)[:count]
        labels = read_idx(MNIST / f"{stem}-labels-idx1-ubyte.gz", 1)[:count]
        write_idx(directory / f"{stem}-images-idx3-ubyte", images)
        write_idx(directory / f"{stem}-labels-idx1-ubyte", labels)
    return directory


def scramble(directory: Path) -> None:
    """Give the training images each other's labels."""
    path = directory / "train-labels-idx1-ubyte"
    labels = read_idx(path, 1)
    scrambled = np.random.default_rng(0).permutation(labels)
    assert not np.array_equal(labels, scrambled)
    write_idx(path, scrambled)

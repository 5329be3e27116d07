"""Find out whether similar images have similar vectors, which vectors in a wrong order do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.idx import read_image_header_shape
from vaetui.engine.images import read_idx_chunks
from vaetui.engine.vectors import VectorArray

MAX_IMAGES, MIN_IMAGES = 1_000, 100
"""Most images that are compared, and fewest from which the result means anything."""
GRID_CELLS = 8
"""Images are compared by the means of so many rows and columns of cells."""
MIN_Z_SCORE = 4.0
"""A z-score that chance does not reach. Measured with EfficientNet-Lite0: 14 for 297 photographs, 31 and 46 for 1,200
images of CIFAR-10 and of blood cells; -2 to 2 for the same vectors shuffled, reversed or shifted by one."""


def resemble_images(vectors: VectorArray, images_path: Path) -> bool:
    """Return whether vectors [M, D], of which the first N belong to the images of an IDX file, fit these images.

    The nearest other image of each of a sample is found by its pixels. The rank of its vector among those of the sample
    by cosine is uniform if vectors and images have nothing to do with each other, which the mean rank is tested
    against. Few or equal images always fit.
    """
    positions, pixels = _sample_images(images_path)
    if len(positions) < MIN_IMAGES:
        return True
    cells = _average_cells(pixels)
    squares = np.einsum("nc,nc->n", cells, cells)
    distances = squares[:, None] + squares - 2 * (cells @ cells.T)  # [n, n]
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argmin(axis=1)
    sample = vectors[positions].astype(np.float32)
    sample -= sample.mean(axis=0)
    sample /= np.maximum(np.linalg.norm(sample, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    cosines = sample @ sample.T
    np.fill_diagonal(cosines, -np.inf)
    count = len(positions)
    own = cosines[np.arange(count), nearest][:, None]
    ranks = ((cosines < own).sum(axis=1) - 1 + (cosines <= own).sum(axis=1) - 2) / 2 / (count - 2)  # from 0 to 1
    z_score = (ranks.mean() - 0.5) * np.sqrt(12 * count)  # the variance of a uniform rank is 1/12
    return bool(z_score > MIN_Z_SCORE)


def _sample_images(path: Path) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return positions of images spread over a file, or of the first ones of a compressed file, and the images."""
    shape = read_image_header_shape(path)
    if path.suffix == ".gz":
        first = next(read_idx_chunks(path, len(shape)))
        return np.arange(min(len(first), MAX_IMAGES)), first[:MAX_IMAGES]
    images = np.memmap(path, np.uint8, "r", offset=4 + 4 * len(shape), shape=shape)
    positions = np.unique(np.linspace(0, shape[0] - 1, min(shape[0], MAX_IMAGES)).astype(np.int64))
    return positions, np.asarray(images[positions])


def _average_cells(pixels: NDArray[np.uint8]) -> NDArray[Any]:
    """Return sums over a grid of cells of each image, [n, cells]."""
    images = pixels.astype(np.float32).reshape(*pixels.shape[:3], -1)  # [n, H, W, C]
    for axis in (1, 2):
        starts = np.unique(np.linspace(0, images.shape[axis], GRID_CELLS, endpoint=False).astype(int))
        images = np.add.reduceat(images, starts, axis=axis)
    return images.reshape(len(images), -1)

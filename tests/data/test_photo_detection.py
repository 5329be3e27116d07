"""Tests of what counts as a photograph."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data.drawing import colour_digits, load_digits
from tests.data.photographs import draw_photographs
from tests.idx import MNIST_DIRECTORY, write_idx
from vaetui.data.photo_detection import shows_photographs


def write_images(directory: Path, images: NDArray[np.uint8]) -> Path:
    write_idx(directory / f"train-images-idx{images.ndim}-ubyte", images)
    return directory


def draw_noise() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (300, 28, 28, 3), np.uint8)


@pytest.mark.parametrize("size", [16, 32, 64])
def test_colour_images_without_flat_background_are_photographs(tmp_path: Path, size: int) -> None:
    assert shows_photographs(write_images(tmp_path, draw_photographs(300, size)[0]))


def test_photographs_are_found_in_a_gzipped_file_and_among_few_images(tmp_path: Path) -> None:
    path = write_images(tmp_path, draw_photographs(20)[0]) / "train-images-idx4-ubyte"
    path.with_name("train-images-idx4-ubyte.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert shows_photographs(tmp_path)


def test_grey_digits_are_no_photographs() -> None:
    assert not shows_photographs(MNIST_DIRECTORY)


@pytest.mark.parametrize(
    "images",
    [
        pytest.param(colour_digits(load_digits(300)[0]), id="coloured digits on a plain background"),
        pytest.param(draw_photographs(300)[0].mean(axis=3).astype(np.uint8), id="grey"),
        pytest.param(
            np.repeat(draw_photographs(300)[0].mean(axis=3, keepdims=True), 3, axis=3).astype(np.uint8),
            id="grey in three channels",
        ),
        pytest.param(draw_noise(), id="noise"),
        pytest.param(np.zeros((300, 28, 28, 3), np.uint8), id="black"),
        pytest.param(np.random.default_rng(0).integers(0, 256, (300, 1, 1, 3), np.uint8), id="single pixels"),
    ],
)
def test_other_images_are_no_photographs(tmp_path: Path, images: NDArray[np.uint8]) -> None:
    assert not shows_photographs(write_images(tmp_path, images))

"""Tests of finding IDX files and reading their headers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.idx import MNIST_DIRECTORY, write_idx
from vaetui.engine.idx import (
    find_idx_files,
    is_supported_shape,
    read_header_shape,
    read_image_header_shape,
    require_supported_shape,
)
from vaetui.errors import UserError


def test_bundled_mnist_has_all_files_and_the_published_shapes() -> None:
    files = find_idx_files(MNIST_DIRECTORY)
    assert read_header_shape(files.train_images, 3) == (60_000, 28, 28)
    assert files.test_images is not None
    assert read_image_header_shape(files.test_images) == (10_000, 28, 28)
    assert None not in (files.train_labels, files.test_labels)


def test_colour_images_are_found_by_their_rank(tmp_path: Path) -> None:
    path = write_idx(tmp_path / "train-images-idx4-ubyte.gz", np.zeros((12, 9, 8, 3), np.uint8))
    files = find_idx_files(tmp_path)
    assert (files.train_images, files.test_images, files.train_labels) == (path, None, None)
    assert read_image_header_shape(path) == (12, 9, 8, 3)


def test_missing_directory_and_missing_training_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no training images"):
        find_idx_files(tmp_path)
    with pytest.raises(UserError, match="There is no directory"):
        find_idx_files(tmp_path / "none")
    with pytest.raises(UserError, match="There is no directory"):
        find_idx_files(tmp_path / ("x" * 5_000))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((10, 8, 64), True),
        ((10, 8, 64, 3), True),
        ((9, 28, 28), False),
        ((10, 7, 28), False),
        ((10, 28, 65), False),
        ((10, 28, 28, 4), False),
        ((10, 28), False),
    ],
)
def test_supported_shapes(shape: tuple[int, ...], expected: bool) -> None:
    assert is_supported_shape(shape) == expected


def test_a_single_image_is_named_in_the_singular() -> None:
    with pytest.raises(UserError, match=r"has 1 image; at least"):
        require_supported_shape(Path("one"), (1, 28, 28))

"""Tests of true labels and the stratified split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.idx import MNIST_DIRECTORY, write_idx
from vaetui.engine.classes import NO_LABEL
from vaetui.engine.true_labels import TrueLabels, read_true_labels, split_train_validation
from vaetui.errors import UserError


def test_split_of_mnist_has_the_sizes_of_the_paper_and_proportional_classes() -> None:
    true_labels = read_true_labels(MNIST_DIRECTORY / "train-labels-idx1-ubyte.gz", 60_000)
    train, validation = split_train_validation(60_000, 128, true_labels, np.random.default_rng(0))
    assert (len(train), len(validation)) == (59_872, 128)
    counts = np.bincount(true_labels.class_ids[validation], minlength=10)
    proportions = np.bincount(true_labels.class_ids, minlength=10) * 128 / 60_000
    assert np.abs(counts - proportions).max() < 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=2, max_size=300), st.integers(0, 40), st.booleans())
def test_split_contains_every_image_once(class_ids: list[int], validation_count: int, is_labelled: bool) -> None:
    true_labels = TrueLabels(np.array(class_ids, np.uint8)) if is_labelled else None
    validation_count = min(validation_count, len(class_ids))
    train, validation = split_train_validation(len(class_ids), validation_count, true_labels, np.random.default_rng(1))
    assert sorted([*train, *validation]) == list(range(len(class_ids)))
    assert len(validation) == validation_count


def test_split_takes_images_without_a_label_in_proportion() -> None:
    class_ids = np.repeat(np.array([0, 1, NO_LABEL], np.uint8), (100, 60, 240))
    _, validation = split_train_validation(400, 40, TrueLabels(class_ids), np.random.default_rng(0))
    assert [int(np.sum(class_ids[validation] == class_id)) for class_id in (0, 1, NO_LABEL)] == [10, 6, 24]


def test_255_in_a_label_file_means_no_label(tmp_path: Path) -> None:
    path = write_idx(tmp_path / "labels", np.array([3, 255, 0], np.uint8))
    assert read_true_labels(path, 3).is_labelled.tolist() == [True, False, True]


def test_labels_for_another_number_of_images_are_refused(tmp_path: Path) -> None:
    path = write_idx(tmp_path / "labels", np.zeros(5, np.uint8))
    with pytest.raises(UserError, match="5 labels for 6 images"):
        read_true_labels(path, 6)

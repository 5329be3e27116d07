"""True labels divide the images and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.idx import MNIST_DIRECTORY, write_idx
from vaetui.engine.ground_truth import TrueLabels, read_true_labels, stratified_split
from vaetui.errors import UserError


def test_mnist_is_divided_as_in_the_paper() -> None:
    truth = read_true_labels(MNIST_DIRECTORY / "train-labels-idx1-ubyte.gz", 60_000)
    train, held = stratified_split(60_000, 128, truth, np.random.default_rng(0))
    assert (len(train), len(held)) == (59_872, 128)
    counts = np.bincount(truth.class_ids[held], minlength=10)
    shares = np.bincount(truth.class_ids, minlength=10) * 128 / 60_000
    assert np.abs(counts - shares).max() < 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=2, max_size=300), st.integers(0, 40), st.booleans())
def test_dividing_loses_and_doubles_no_image(classes: list[int], wanted: int, known: bool) -> None:
    truth = TrueLabels(np.array(classes, np.uint8)) if known else None
    wanted = min(wanted, len(classes))
    train, held = stratified_split(len(classes), wanted, truth, np.random.default_rng(1))
    assert sorted([*train, *held]) == list(range(len(classes)))
    assert len(held) == wanted


def test_labels_of_other_images_are_refused(tmp_path: Path) -> None:
    path = write_idx(tmp_path / "labels", np.zeros(5, np.uint8))
    with pytest.raises(UserError, match="5 labels for 6 images"):
        read_true_labels(path, 6)

"""The reader reads digits, doubts blends and is the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.idx import small_mnist, write_idx
from vaetui.cli.simulate_command import drain
from vaetui.engine.ground_truth import read_true_labels
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_idx, read_images
from vaetui.errors import UserError
from vaetui.simulation.reader_cache import TrainedReader, load_or_train_reader
from vaetui.simulation.reader_network import train_reader


def test_most_digits_that_it_never_saw_are_read(shelved: TrainedReader) -> None:
    assert shelved.accuracy > 0.85


def test_a_blend_of_two_classes_is_doubted_more_than_either(practice: Path, shelved: TrainedReader) -> None:
    found = find_idx_files(practice)
    images = read_images(found.test_images)[0][:]  # type: ignore[arg-type]
    labels = read_idx(found.test_labels, 1)  # type: ignore[arg-type]
    ones, zeros = images[labels == 1][:30], images[labels == 0][:30]
    blends = (ones // 2 + zeros // 2).astype(np.uint8)
    plain = min(shelved.reader.predict(pictures).confidences.mean() for pictures in (ones, zeros))
    assert shelved.reader.predict(blends).confidences.mean() < plain - 0.1


def test_the_same_images_make_the_same_reader(digits: Path) -> None:
    images, _ = read_images(digits / "train-images-idx3-ubyte")
    truth = read_true_labels(digits / "train-labels-idx1-ubyte", len(images))
    opinions, others = (drain(train_reader(images, truth, 10)).predict(images[:]) for _ in range(2))
    assert np.array_equal(opinions.class_ids, others.class_ids)
    assert np.array_equal(opinions.confidences, others.confidences)


@pytest.mark.usefixtures("home")
def test_a_reader_is_trained_once_and_again_only_when_its_file_is_damaged(digits: Path, home: Path) -> None:
    trained = drain(load_or_train_reader(str(digits), class_count=10))
    again = load_or_train_reader(str(digits), class_count=10)
    with pytest.raises(StopIteration) as end:
        next(again)
    pictures = read_images(digits / "t10k-images-idx3-ubyte")[0][:]
    read = [shelved.reader.predict(pictures).confidences for shelved in (trained, end.value.value)]
    assert np.array_equal(*read)
    assert end.value.value.accuracy == trained.accuracy
    (kept,) = (home / "cache/readers").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_bytes(kept.read_bytes()[:-100])
    assert len(list(load_or_train_reader(str(digits), class_count=10))) > 1
    assert list(load_or_train_reader(str(digits), class_count=10)) == []


@pytest.mark.usefixtures("home")
def test_other_labels_make_another_reader(digits: Path, tmp_path: Path, home: Path) -> None:
    other = small_mnist(tmp_path / "other", train=640, test=200)
    labels = read_idx(digits / "train-labels-idx1-ubyte", 1)
    write_idx(other / "train-labels-idx1-ubyte", labels[::-1].copy())
    list(load_or_train_reader(str(digits), class_count=10))
    assert len(list(load_or_train_reader(str(other), class_count=10))) > 1
    assert len(list((home / "cache/readers").iterdir())) == 2


@pytest.mark.usefixtures("home")
def test_images_without_labels_and_labels_without_a_class_are_refused(tmp_path: Path) -> None:
    data = small_mnist(tmp_path / "data", train=200, test=50)
    with pytest.raises(UserError, match="knows a class 9; the classes are 0 to 4"):
        drain(load_or_train_reader(str(data), class_count=5))
    (data / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(UserError, match="holds no labels of the training images"):
        drain(load_or_train_reader(str(data), class_count=10))

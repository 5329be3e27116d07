"""The reader network: accuracy, confidence on blends, and reproducibility."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.idx import write_small_mnist
from vaetui.engine.idx import find_idx_files
from vaetui.engine.images import read_idx_array, read_images_and_digest
from vaetui.engine.true_labels import read_true_labels
from vaetui.runtime.session_runner import drain_events
from vaetui.simulation.reader_cache import TrainedReader
from vaetui.simulation.reader_network import train_reader


def test_most_test_digits_are_read_correctly(trained_reader: TrainedReader) -> None:
    assert trained_reader.accuracy > 0.85


def test_the_confidence_is_lower_on_a_blend_of_two_classes_than_on_either(
    reader_data: Path, trained_reader: TrainedReader
) -> None:
    idx_files = find_idx_files(reader_data)
    assert idx_files.test_images is not None
    assert idx_files.test_labels is not None
    images = read_images_and_digest(idx_files.test_images)[0][:]
    labels = read_idx_array(idx_files.test_labels, 1)
    ones, zeros = images[labels == 1][:30], images[labels == 0][:30]
    blends = (ones // 2 + zeros // 2).astype(np.uint8)
    reader = trained_reader.reader
    sharp_confidence = min(reader.predict(digits).confidences.mean() for digits in (ones, zeros))
    assert reader.predict(blends).confidences.mean() < sharp_confidence - 0.1


def test_two_trainings_on_the_same_images_give_identical_readers(tmp_path: Path) -> None:
    data = write_small_mnist(tmp_path / "data", train=256, test=10)
    images, _ = read_images_and_digest(data / "train-images-idx3-ubyte")
    true_labels = read_true_labels(data / "train-labels-idx1-ubyte", len(images))
    predictions = [drain_events(train_reader(images, true_labels, 10)).predict(images[:]) for _ in range(2)]
    assert np.array_equal(predictions[0].class_ids, predictions[1].class_ids)
    assert np.array_equal(predictions[0].confidences, predictions[1].confidences)

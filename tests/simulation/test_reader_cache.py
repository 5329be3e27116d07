"""The cache of trained readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.idx import write_idx, write_small_mnist
from vaetui.engine.classes import NO_LABEL
from vaetui.engine.images import read_idx_array, read_images_and_digest
from vaetui.errors import UserError
from vaetui.runtime.session_runner import drain_events
from vaetui.simulation import reader_cache
from vaetui.simulation.reader_cache import load_or_train_reader

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of IDX files with 200 training and 50 test digits."""
    return write_small_mnist(tmp_path_factory.mktemp("data"), train=200, test=50)


def test_a_reader_is_cached_and_trained_again_if_its_file_is_damaged(data: Path, home: Path) -> None:
    trained_reader = drain_events(load_or_train_reader(str(data), class_count=10))
    second_load = load_or_train_reader(str(data), class_count=10)
    with pytest.raises(StopIteration) as end:
        next(second_load)
    cached_reader = end.value.value
    images = read_images_and_digest(data / "t10k-images-idx3-ubyte")[0][:]
    assert np.array_equal(
        trained_reader.reader.predict(images).confidences, cached_reader.reader.predict(images).confidences
    )
    assert cached_reader.accuracy == trained_reader.accuracy
    (cache_file,) = (home / "cache/readers").iterdir()
    assert cache_file.stat().st_mode & 0o777 == 0o600
    cache_file.write_bytes(cache_file.read_bytes()[:-100])
    assert len(list(load_or_train_reader(str(data), class_count=10))) > 1
    assert list(load_or_train_reader(str(data), class_count=10)) == []


def test_a_flipped_bit_in_any_region_of_a_cached_reader_is_found(data: Path, home: Path) -> None:
    list(load_or_train_reader(str(data), class_count=10))
    (cache_file,) = (home / "cache/readers").iterdir()
    content = cache_file.read_bytes()
    accuracy_position = content.index(b'"accuracy":"') + len(b'"accuracy":"') + 2
    for position in (0, 31, 32, 40, 100, accuracy_position, len(content) // 2, len(content) - 1):
        damaged = content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
        cache_file.write_bytes(damaged)
        assert reader_cache._read_cached_reader(cache_file) is None, position
    for damaged in (content[:32], content[32:], b""):
        cache_file.write_bytes(damaged)
        assert reader_cache._read_cached_reader(cache_file) is None
    cache_file.write_bytes(content)
    assert reader_cache._read_cached_reader(cache_file) is not None


def test_other_labels_of_the_same_images_have_their_own_reader(data: Path, tmp_path: Path, home: Path) -> None:
    relabelled = write_small_mnist(tmp_path / "relabelled", train=200, test=50)
    labels = read_idx_array(data / "train-labels-idx1-ubyte", 1)
    write_idx(relabelled / "train-labels-idx1-ubyte", labels[::-1].copy())
    list(load_or_train_reader(str(data), class_count=10))
    assert len(list(load_or_train_reader(str(relabelled), class_count=10))) > 1
    assert len(list((home / "cache/readers").iterdir())) == 2


def test_a_reader_is_trained_and_rated_on_the_labelled_images(data: Path, tmp_path: Path) -> None:
    images = read_idx_array(data / "train-images-idx3-ubyte", 3)
    labels = read_idx_array(data / "train-labels-idx1-ubyte", 1)
    for name in ("partial", "small"):
        write_small_mnist(tmp_path / name, train=200, test=50)
        write_idx(tmp_path / name / "t10k-labels-idx1-ubyte", np.full(50, NO_LABEL, np.uint8))
    write_idx(tmp_path / "partial/train-labels-idx1-ubyte", np.where(np.arange(200) < 150, labels, NO_LABEL))
    write_idx(tmp_path / "small/train-images-idx3-ubyte", images[:150])
    write_idx(tmp_path / "small/train-labels-idx1-ubyte", labels[:150])
    partial, small = (drain_events(load_or_train_reader(str(tmp_path / name), 10)) for name in ("partial", "small"))
    assert np.array_equal(partial.reader.predict(images).confidences, small.reader.predict(images).confidences)
    assert partial.accuracy == small.accuracy


def test_labels_that_are_all_missing_are_refused(tmp_path: Path) -> None:
    data = write_small_mnist(tmp_path / "data", train=200, test=50)
    write_idx(data / "train-labels-idx1-ubyte", np.full(200, NO_LABEL, np.uint8))
    with pytest.raises(UserError, match=r"No image has a label in .*: all are 255, which means no label"):
        drain_events(load_or_train_reader(str(data), class_count=10))


def test_missing_labels_and_labels_outside_the_classes_are_refused(tmp_path: Path) -> None:
    data = write_small_mnist(tmp_path / "data", train=200, test=50)
    with pytest.raises(UserError, match="contains class 9; the session has classes 0 to 4"):
        drain_events(load_or_train_reader(str(data), class_count=5))
    (data / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(UserError, match="has no labels of the training images"):
        drain_events(load_or_train_reader(str(data), class_count=10))

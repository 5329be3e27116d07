"""A file is written whole or not at all; tensors and clusterings come back as they were."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.small_disk import small_disk
from vaetui.store import clusterings, files, tensors
from vaetui.store.clusterings import Part
from vaetui.store.tensors import Checkpoint
from vaetui.trouble import Trouble


def test_writing_replaces_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write(path, b"old")
    files.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_crash_left_half_written_is_swept(tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    (tmp_path / f"half{files.PARTIAL}").touch()
    files.sweep(tmp_path)
    assert os.listdir(tmp_path) == ["kept"]


def test_a_missing_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"cannot be written \(No such file or directory\)"):
        files.write(tmp_path / "none" / "file", b"")


def test_on_a_full_disk_the_old_file_stays_and_the_trouble_is_told(tmp_path: Path) -> None:
    with small_disk(tmp_path, kilobytes=256) as disk:
        path = disk / "file"
        files.write(path, b"old")
        with pytest.raises(Trouble, match=r"is full; make room and resume"):
            files.write(path, bytes(1 << 20))
        assert path.read_bytes() == b"old"
        assert os.listdir(disk) == ["file"]


def test_a_checkpoint_comes_back_bit_by_bit(tmp_path: Path) -> None:
    arrays = {"a.b": np.random.default_rng(0).random((3, 4)).astype(np.float32), "step": np.array(7, np.float32)}
    tensors.save(tmp_path / "t", Checkpoint(2, 40, arrays))
    loaded = tensors.load(tmp_path / "t")
    assert loaded is not None
    assert (loaded.epoch, loaded.step) == (2, 40)
    assert {name: (array.shape, array.tobytes()) for name, array in loaded.arrays.items()} == {
        name: (array.shape, array.tobytes()) for name, array in arrays.items()
    }
    assert tensors.load(tmp_path / "none") is None


@pytest.mark.parametrize("size", [0, 7, 100])
def test_a_truncated_checkpoint_is_told(tmp_path: Path, size: int) -> None:
    tensors.save(tmp_path / "t", Checkpoint(1, 1, {"a": np.zeros(100, np.float32)}))
    (tmp_path / "t").write_bytes((tmp_path / "t").read_bytes()[:size])
    with pytest.raises(Trouble, match="is damaged"):
        tensors.load(tmp_path / "t")


def test_a_part_comes_back_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    part = Part(np.arange(5, dtype=np.int32), np.ones((2, 3), np.float32), np.zeros((2, 8, 8), np.uint8))
    clusterings.save(tmp_path / "p.npz", part)
    assert np.array_equal(clusterings.load(tmp_path / "p.npz", Part).near, part.near)
    (tmp_path / "p.npz").write_bytes((tmp_path / "p.npz").read_bytes()[:200])
    with pytest.raises(Trouble, match="missing or damaged"):
        clusterings.load(tmp_path / "p.npz", Part)


def test_nothing_pickled_is_ever_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", near=np.array([print], dtype=object), centres=[0.0], pictures=[0])
    with pytest.raises(Trouble, match="missing or damaged"):
        clusterings.load(tmp_path / "p.npz", Part)

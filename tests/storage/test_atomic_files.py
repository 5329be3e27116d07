"""Tests of atomic file writing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.small_disk import mount_small_disk
from vaetui.errors import UserError
from vaetui.storage import atomic_files


def test_write_replaces_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic_files.replace_file(path, b"old")
    atomic_files.replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_partial_files_are_removed(tmp_path: Path) -> None:
    (tmp_path / "complete").touch()
    (tmp_path / f"half{atomic_files.PARTIAL_SUFFIX}").touch()
    atomic_files.remove_partial_files(tmp_path)
    assert os.listdir(tmp_path) == ["complete"]


def test_writing_to_a_missing_directory_raises_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Cannot use .*file \(No such file or directory\)"):
        atomic_files.replace_file(tmp_path / "none" / "file", b"")


def test_writing_to_a_full_disk_raises_user_error_and_keeps_the_old_file(tmp_path: Path) -> None:
    with mount_small_disk(tmp_path, kilobytes=256) as disk:
        path = disk / "file"
        atomic_files.replace_file(path, b"old")
        with pytest.raises(UserError, match=r"is full. Free some space and try again"):
            atomic_files.replace_file(path, bytes(1 << 20))
        assert path.read_bytes() == b"old"
        assert os.listdir(disk) == ["file"]

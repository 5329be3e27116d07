"""Tests of atomic file writing."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tests.small_disk import mount_small_disk
from vaetui.errors import UserError
from vaetui.storage import atomic_files
from vaetui.storage.output_files import write_output_file


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


def replace_in_steps(path: Path, content: Iterable[bytes]) -> None:
    for _ in atomic_files.replace_files_in_steps([path, path.with_name("copy")], content):
        pass


@pytest.mark.parametrize("write", [atomic_files.replace_file, replace_in_steps, write_output_file])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError])
def test_content_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, write: Callable[[Path, Iterable[bytes]], None], error: type[BaseException]
) -> None:
    (tmp_path / "file").write_bytes(b"old")

    def fail() -> Iterator[bytes]:
        yield b"new"
        raise error

    with pytest.raises(error):
        write(tmp_path / "file", fail())
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("write", [atomic_files.replace_file, replace_in_steps, write_output_file])
def test_file_is_synced_before_it_is_renamed_and_its_directory_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, Iterable[bytes]], None]
) -> None:
    calls: list[str] = []
    sync, replace = os.fsync, Path.replace

    def record_sync(descriptor: int) -> None:
        calls.append("sync directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync file")
        sync(descriptor)

    def record_replace(path: Path, target: Path) -> Path:
        calls.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(Path, "replace", record_replace)
    write(tmp_path / "file", [b"a", b"b"])
    copies = 2 if write is replace_in_steps else 1
    assert calls == ["sync file"] * copies + ["rename", "sync directory"] * copies
    assert (tmp_path / "file").read_bytes() == b"ab"


def test_writing_to_a_full_disk_raises_user_error_and_keeps_the_old_file(tmp_path: Path) -> None:
    with mount_small_disk(tmp_path, kilobytes=256) as disk:
        path = disk / "file"
        atomic_files.replace_file(path, b"old")
        with pytest.raises(UserError, match=r"is full. Free some space and try again"):
            atomic_files.replace_file(path, bytes(1 << 20))
        assert path.read_bytes() == b"old"
        assert os.listdir(disk) == ["file"]

"""Tests that nothing in a session directory leads out of it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from vaetui.errors import UserError
from vaetui.storage import locations, untrusted_entries


@pytest.fixture
def directory(home: Path) -> Path:
    path = home / "sessions" / "theirs"
    path.mkdir(parents=True)
    (path / "session.db").write_bytes(b"")
    (path / "quarantine").mkdir()
    return path


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "mine"
    path.write_text("mine")
    return path


def test_plain_files_are_accepted(directory: Path) -> None:
    untrusted_entries.refuse_untrusted_entries(directory)
    assert locations.find_session("theirs") == directory


@pytest.mark.parametrize(
    "name", ["session.db", "lock", "log.txt", "lock_holder.json", "quarantine", "round-001.npz", "new"]
)
def test_link_is_refused_and_its_target_left_unchanged(directory: Path, outside: Path, name: str) -> None:
    if name == "quarantine":
        (directory / name).rmdir()
    (directory / name).unlink(missing_ok=True)
    (directory / name).symlink_to(outside)
    with pytest.raises(UserError, match=f"{name} is a link; a session directory contains plain files only.* --repair"):
        untrusted_entries.refuse_untrusted_entries(directory)
    assert untrusted_entries.quarantine_file(directory / name) == "removed"
    assert outside.read_text() == "mine"
    untrusted_entries.refuse_untrusted_entries(directory)


def test_pipe_directory_and_socket_are_refused_and_quarantined(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(directory / "pipe")
    (directory / "below").mkdir()
    monkeypatch.chdir(directory)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        entries = list(untrusted_entries.find_untrusted_entries(directory))
    assert [(path.name, reason) for path, reason in entries] == [
        (name, "is not a plain file") for name in ("below", "pipe", "socket")
    ]
    for path, _ in entries:
        untrusted_entries.quarantine_file(path)
    untrusted_entries.refuse_untrusted_entries(directory)
    assert sorted(path.name for path in (directory / "quarantine").iterdir()) == ["below", "pipe", "socket"]


def test_file_in_place_of_the_quarantine_directory_is_moved_into_it(directory: Path) -> None:
    (directory / "quarantine").rmdir()
    (directory / "quarantine").write_text("content")
    ((path, reason),) = untrusted_entries.find_untrusted_entries(directory)
    assert reason == "is not a directory"
    untrusted_entries.quarantine_file(path)
    assert (directory / "quarantine/quarantine.file").read_text() == "content"


def test_hard_link_is_refused_and_replaced_by_a_separate_copy(directory: Path, outside: Path) -> None:
    os.link(outside, directory / "log.txt")
    with pytest.raises(UserError, match="a second name elsewhere"):
        untrusted_entries.refuse_untrusted_entries(directory)
    untrusted_entries.quarantine_file(directory / "log.txt")
    untrusted_entries.refuse_untrusted_entries(directory)
    (directory / "log.txt").write_text("theirs")
    assert outside.read_text() == "mine"


def test_nothing_is_moved_through_a_link_in_place_of_the_quarantine_directory(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (directory / "quarantine").rmdir()
    (directory / "quarantine").symlink_to(tmp_path / "victim")
    (directory / ".ssh").mkdir()
    for path, _ in list(untrusted_entries.find_untrusted_entries(directory)):
        untrusted_entries.quarantine_file(path)
    assert list((tmp_path / "victim").iterdir()) == []
    assert (directory / "quarantine/.ssh").is_dir()


def test_second_file_of_the_same_name_gets_a_number(directory: Path) -> None:
    for text in ("one", "two"):
        (directory / "x").write_text(text)
        untrusted_entries.quarantine_file(directory / "x")
    assert (directory / "quarantine/x").read_text() == "one"
    assert (directory / "quarantine/x.2").read_text() == "two"


def test_sqlite_journal_that_names_another_file_is_refused(directory: Path) -> None:
    (directory / "session.db-journal").write_bytes(bytes(512) + b"/etc/passwd" + untrusted_entries.SUPER_JOURNAL_MAGIC)
    with pytest.raises(UserError, match="names a file outside the session"):
        untrusted_entries.refuse_untrusted_entries(directory)

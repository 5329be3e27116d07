"""Nothing in a session's directory leads out of it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from vaetui.errors import UserError
from vaetui.storage import locations, untrusted


@pytest.fixture
def directory(home: Path) -> Path:
    path = home / "sessions" / "theirs"
    path.mkdir(parents=True)
    (path / "facts.db").write_bytes(b"")
    (path / "damaged").mkdir()
    return path


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "mine"
    path.write_text("mine")
    return path


def test_plain_files_are_let_in(directory: Path) -> None:
    untrusted.refuse_untrusted_entries(directory)
    assert locations.find_session("theirs") == directory


@pytest.mark.parametrize("name", ["facts.db", "lock", "log.txt", "holder.json", "damaged", "round-001.npz", "new"])
def test_a_link_is_refused_and_what_it_leads_to_left_alone(directory: Path, outside: Path, name: str) -> None:
    if name == "damaged":
        (directory / name).rmdir()
    (directory / name).unlink(missing_ok=True)
    (directory / name).symlink_to(outside)
    with pytest.raises(UserError, match=f"{name} is a link, and a session holds plain files only; .* --repair"):
        untrusted.refuse_untrusted_entries(directory)
    assert untrusted.quarantine_file(directory / name) == "removed"
    assert outside.read_text() == "mine"
    untrusted.refuse_untrusted_entries(directory)


def test_what_is_no_plain_file_is_refused(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(directory / "pipe")
    (directory / "below").mkdir()
    monkeypatch.chdir(directory)  # the name of a socket may not be long
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        strange = list(untrusted.untrusted_entries(directory))
    assert [(path.name, why) for path, why in strange] == [
        (name, "is no plain file") for name in ("below", "pipe", "socket")
    ]
    for path, _ in strange:
        untrusted.quarantine_file(path)
    untrusted.refuse_untrusted_entries(directory)
    assert sorted(path.name for path in (directory / "damaged").iterdir()) == ["below", "pipe", "socket"]


def test_a_file_in_the_place_of_the_directory_for_the_damaged_is_kept_too(directory: Path) -> None:
    (directory / "damaged").rmdir()
    (directory / "damaged").write_text("what")
    (strange,) = untrusted.untrusted_entries(directory)
    untrusted.quarantine_file(strange[0])
    assert (directory / "damaged/damaged.file").read_text() == "what"


def test_a_hard_link_is_refused_and_becomes_a_file_of_its_own(directory: Path, outside: Path) -> None:
    os.link(outside, directory / "log.txt")
    with pytest.raises(UserError, match="a second name elsewhere"):
        untrusted.refuse_untrusted_entries(directory)
    untrusted.quarantine_file(directory / "log.txt")
    untrusted.refuse_untrusted_entries(directory)
    (directory / "log.txt").write_text("theirs")
    assert outside.read_text() == "mine"


def test_nothing_is_kept_aside_behind_a_link(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (directory / "damaged").rmdir()
    (directory / "damaged").symlink_to(tmp_path / "victim")
    (directory / ".ssh").mkdir()
    for path, _ in list(untrusted.untrusted_entries(directory)):
        untrusted.quarantine_file(path)
    assert list((tmp_path / "victim").iterdir()) == []
    assert (directory / "damaged/.ssh").is_dir()


def test_a_second_file_of_that_name_gets_a_number(directory: Path) -> None:
    for text in ("one", "two"):
        (directory / "x").write_text(text)
        untrusted.quarantine_file(directory / "x")
    assert (directory / "damaged/x").read_text() == "one"
    assert (directory / "damaged/x.2").read_text() == "two"


def test_a_journal_that_names_another_file_is_refused(directory: Path) -> None:
    (directory / "facts.db-journal").write_bytes(bytes(512) + b"/etc/passwd" + untrusted.SUPER_JOURNAL_MAGIC)
    with pytest.raises(UserError, match="names a file outside the session"):
        untrusted.refuse_untrusted_entries(directory)

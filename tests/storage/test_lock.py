"""The right to write: who has it is told by the lock itself, and what a file says of it is not trusted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from vaetui.errors import UserError
from vaetui.storage import control_files, file_names, lock
from vaetui.storage.lock import Lock


def introduce(directory: Path, **who: object) -> None:
    """Leave what a holder says of itself."""
    told = {"user": "ann", "host": "far", "process": 7, "detached": False}
    file_names.holder_path(directory).write_text(json.dumps(told | who))


def test_the_holder_is_known_while_the_lock_is_held_and_no_longer(tmp_path: Path) -> None:
    assert lock.read_holder(tmp_path) is None
    held = Lock(tmp_path)
    who = lock.read_holder(tmp_path)
    assert who is not None
    assert (who.process_id, who.is_detached) == (os.getpid(), False)
    lock.mark_detached(tmp_path)
    assert lock.read_holder(tmp_path) == lock.Holder(who.user, who.host, who.process_id, is_detached=True)
    held.release()
    assert lock.read_holder(tmp_path) is None


def test_what_a_dead_holder_left_counts_for_nothing(tmp_path: Path) -> None:
    Lock(tmp_path).release()
    introduce(tmp_path, detached=True)
    assert lock.read_holder(tmp_path) is None
    Lock(tmp_path).release()


def test_who_looks_stands_in_nobodys_way(tmp_path: Path) -> None:
    Lock(tmp_path).release()
    for _ in range(50):
        assert lock.read_holder(tmp_path) is None
        Lock(tmp_path).release()


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    held = Lock(tmp_path)
    introduce(tmp_path)
    with pytest.raises(UserError, match="is in use by ann on far, process 7; leave it there first"):
        Lock(tmp_path)
    introduce(tmp_path, detached=True)
    with pytest.raises(UserError, match=f"take it over with: vaetui resume {tmp_path.name}"):
        Lock(tmp_path)
    held.release()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        b"[" * 900,
        b'{"user": "a", "host": "b", "process": Infinity}',
        b'{"user": 1, "host": 2, "process": 3, "detached": true}',
    ],
    ids=lambda content: repr(content[:8]),
)
def test_nonsense_about_the_holder_names_nobody(tmp_path: Path, content: bytes) -> None:
    held = Lock(tmp_path)
    file_names.holder_path(tmp_path).write_bytes(content)
    with pytest.raises(UserError, match="in use by another process"):
        Lock(tmp_path)
    held.release()


def test_control_characters_in_a_name_are_not_shown(tmp_path: Path) -> None:
    held = Lock(tmp_path)
    introduce(tmp_path, user="\x1b[2Jann\n\x07", host="x" * 500)
    with pytest.raises(UserError) as trouble:
        Lock(tmp_path)
    assert str(trouble.value).isprintable()
    assert len(str(trouble.value)) < 300
    held.release()


def test_a_pipe_in_the_place_of_a_name_holds_nobody_up(tmp_path: Path) -> None:
    held = Lock(tmp_path)
    file_names.holder_path(tmp_path).unlink()
    os.mkfifo(file_names.holder_path(tmp_path))
    with pytest.raises(UserError, match="in use by another process"):
        Lock(tmp_path)
    held.release()


@pytest.mark.parametrize("place", [file_names.holder_path, file_names.release_request_path, file_names.failure_path])
def test_nothing_is_written_where_a_link_leads_out(tmp_path: Path, place: object) -> None:
    outside, directory = tmp_path / "outside", tmp_path / "session"
    outside.write_text("precious")
    directory.mkdir()
    place(directory).symlink_to(outside)  # type: ignore[operator]
    assert not control_files.is_release_requested(directory)
    assert control_files.read_failure(directory) is None
    if place is file_names.failure_path:
        with pytest.raises(UserError):
            control_files.record_failure(directory, "something")
    Lock(directory).release()
    assert outside.read_text() == "precious"


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("precious")
    file_names.lock_path(tmp_path).symlink_to(tmp_path / "outside")
    with pytest.raises(UserError, match="lock is a link"):
        Lock(tmp_path)
    assert (tmp_path / "outside").read_text() == "precious"


def test_a_failure_is_one_printable_line_and_stays_until_it_is_told(tmp_path: Path) -> None:
    control_files.record_failure(tmp_path, "a longer thing that is\nover\x1b[2J")
    control_files.record_failure(tmp_path, "short")
    assert control_files.read_failure(tmp_path) == "short"
    file_names.failure_path(tmp_path).write_text("\x1b[31mred\n" + "x" * 5000)
    told = control_files.read_failure(tmp_path)
    assert told is not None
    assert told.isprintable()
    assert len(told) <= control_files.FAILURE_BYTES
    Lock(tmp_path).release()
    assert control_files.read_failure(tmp_path) == told
    control_files.remove_control_files(tmp_path)
    assert control_files.read_failure(tmp_path) is None

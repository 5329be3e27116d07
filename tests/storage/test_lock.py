"""Tests of the session lock and of the control files; the content of both is untrusted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vaetui.errors import UserError
from vaetui.storage import control_files, file_names, lock
from vaetui.storage.lock import Holder, Lock

LOCKING_PROGRAM = """
import sys
from pathlib import Path
from vaetui.errors import UserError
from vaetui.storage.lock import Lock
try:
    Lock(Path(sys.argv[1]))
    print("acquired")
except UserError as error:
    print(error)
"""


def write_holder(directory: Path, **fields: object) -> None:
    """Write the description of a holder."""
    defaults = {"user": "ann", "host": "far", "process_id": 7, "is_detached": False}
    file_names.holder_path(directory).write_text(json.dumps(defaults | fields))


def test_holder_is_known_while_the_lock_is_held(tmp_path: Path) -> None:
    assert lock.read_holder(tmp_path) is None
    held = Lock(tmp_path)
    holder = lock.read_holder(tmp_path)
    assert holder is not None
    assert (holder.process_id, holder.is_detached) == (os.getpid(), False)
    lock.mark_detached(tmp_path)
    assert lock.read_holder(tmp_path) == Holder(holder.user, holder.host, holder.process_id, is_detached=True)
    held.release()
    assert lock.read_holder(tmp_path) is None


def test_second_process_is_refused_until_the_lock_is_released(tmp_path: Path) -> None:
    held = Lock(tmp_path)
    arguments = [sys.executable, "-c", LOCKING_PROGRAM, str(tmp_path)]
    refusal = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert f"Session {tmp_path.name} is open in process {os.getpid()} of {os.environ.get('USER', '')}" in refusal
    held.release()
    assert subprocess.run(arguments, capture_output=True, text=True, check=True).stdout == "acquired\n"


def test_lock_that_one_thread_acquired_is_released_by_another(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        held_lock = executor.submit(Lock, tmp_path).result()
    assert lock.read_holder(tmp_path) is not None
    held_lock.release()
    assert lock.read_holder(tmp_path) is None


def test_description_left_by_a_dead_holder_is_ignored(tmp_path: Path) -> None:
    Lock(tmp_path).release()
    write_holder(tmp_path, is_detached=True)
    assert lock.read_holder(tmp_path) is None
    Lock(tmp_path).release()


def test_reading_the_holder_does_not_hinder_locking(tmp_path: Path) -> None:
    Lock(tmp_path).release()
    for _ in range(50):
        assert lock.read_holder(tmp_path) is None
        Lock(tmp_path).release()


def test_refusal_describes_the_holder(tmp_path: Path) -> None:
    held = Lock(tmp_path)
    write_holder(tmp_path)
    with pytest.raises(UserError, match=r"is open in process 7 of ann on far. Close it there first."):
        Lock(tmp_path)
    write_holder(tmp_path, is_detached=True)
    with pytest.raises(UserError, match=rf"in the background by .* Continue it with: vaetui resume {tmp_path.name}"):
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
        b'{"user": "a", "host": "b", "process_id": Infinity}',
        b'{"user": 1, "host": 2, "process_id": 3, "is_detached": true}',
    ],
    ids=lambda content: repr(content[:8]),
)
def test_invalid_description_results_in_an_unknown_holder(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "HOLDER_TIMEOUT_S", 0.05)
    held = Lock(tmp_path)
    file_names.holder_path(tmp_path).write_bytes(content)
    with pytest.raises(UserError, match="is open in another process"):
        Lock(tmp_path)
    held.release()


def test_control_characters_of_a_description_are_removed(tmp_path: Path) -> None:
    held = Lock(tmp_path)
    write_holder(tmp_path, user="\x1b[2Jann\n\x07", host="x" * 500)
    with pytest.raises(UserError) as error:
        Lock(tmp_path)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 300
    held.release()


def test_pipe_in_place_of_the_description_does_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "HOLDER_TIMEOUT_S", 0.05)
    held = Lock(tmp_path)
    file_names.holder_path(tmp_path).unlink()
    os.mkfifo(file_names.holder_path(tmp_path))
    with pytest.raises(UserError, match="is open in another process"):
        Lock(tmp_path)
    held.release()


@pytest.mark.parametrize("path_of", [file_names.holder_path, file_names.release_request_path, file_names.failure_path])
def test_links_in_place_of_control_files_are_not_followed(tmp_path: Path, path_of: Callable[[Path], Path]) -> None:
    outside, directory = tmp_path / "outside", tmp_path / "session"
    outside.write_text("precious")
    directory.mkdir()
    path_of(directory).symlink_to(outside)
    assert not control_files.is_release_requested(directory)
    assert control_files.read_failure(directory) is None
    if path_of is file_names.failure_path:
        with pytest.raises(UserError):
            control_files.record_failure(directory, "something")
    Lock(directory).release()
    assert outside.read_text() == "precious"


def test_link_in_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("precious")
    file_names.lock_path(tmp_path).symlink_to(tmp_path / "outside")
    with pytest.raises(UserError, match="lock is a link"):
        Lock(tmp_path)
    assert (tmp_path / "outside").read_text() == "precious"


def test_release_request_lasts_until_it_is_withdrawn_or_the_lock_is_taken(tmp_path: Path) -> None:
    control_files.request_release(tmp_path)
    control_files.request_release(tmp_path)
    assert control_files.is_release_requested(tmp_path)
    control_files.cancel_release_request(tmp_path)
    assert not control_files.is_release_requested(tmp_path)
    control_files.request_release(tmp_path)
    Lock(tmp_path).release()
    assert not control_files.is_release_requested(tmp_path)


def test_failure_that_names_a_file_of_any_script_stays_as_it_is(tmp_path: Path) -> None:
    control_files.record_failure(tmp_path, "/10.30\u202fAM/\U0001f431 and /caf\udce9 are missing")
    assert control_files.read_failure(tmp_path) == "/10.30\u202fAM/\U0001f431 and /caf\\udce9 are missing"


def test_failure_is_one_printable_line_that_lasts_until_it_is_removed(tmp_path: Path) -> None:
    control_files.record_failure(tmp_path, "a longer thing that is\nover\x1b[2J")
    control_files.record_failure(tmp_path, "short")
    assert control_files.read_failure(tmp_path) == "short"
    file_names.failure_path(tmp_path).write_text("\x1b[31mred\n" + "x" * 5000)
    failure = control_files.read_failure(tmp_path)
    assert failure is not None
    assert failure.isprintable()
    assert len(failure) <= control_files.FAILURE_BYTES
    Lock(tmp_path).release()
    assert control_files.read_failure(tmp_path) == failure
    control_files.remove_control_files(tmp_path)
    assert control_files.read_failure(tmp_path) is None

"""Tests of the training run of a session and its lock; the description is untrusted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vaetui.errors import UserError
from vaetui.storage import file_names
from vaetui.storage.lock import Lock
from vaetui.storage.training_run import TrainingRun, TrainingRunLock, read_training_run

SERVING_PROGRAM = """
import sys
from pathlib import Path
from vaetui.storage.training_run import TrainingRunLock
held = TrainingRunLock(Path(sys.argv[1]), 3, "cuda")
print("serving", flush=True)
sys.stdin.read()
"""


def test_run_is_known_until_its_lock_is_released(tmp_path: Path) -> None:
    assert read_training_run(tmp_path) is None
    held = TrainingRunLock(tmp_path, 2, "cpu")
    run = read_training_run(tmp_path)
    assert run is not None
    assert (run.process_id, run.ranks, run.device) == (os.getpid(), 2, "cpu")
    assert str(run) == f"2 processes of {run.user} on {run.host}"
    held.release()
    assert read_training_run(tmp_path) is None


def test_run_leaves_the_session_itself_free(tmp_path: Path) -> None:
    run = TrainingRunLock(tmp_path, 1, "auto")
    Lock(tmp_path).release()
    run.release()


def test_second_run_is_refused_and_a_killed_one_is_forgotten(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVING_PROGRAM, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        run = read_training_run(tmp_path)
        assert run is not None
        assert (run.process_id, run.ranks, run.device) == (process.pid, 3, "cuda")
        with pytest.raises(UserError, match=f"is being trained by 3 processes of .* on {run.host}"):
            TrainingRunLock(tmp_path, 1, "cpu")
        process.kill()
    assert read_training_run(tmp_path) is None
    TrainingRunLock(tmp_path, 1, "cpu").release()


@pytest.mark.parametrize(
    "description",
    [
        "",
        "[]",
        "[" * 900,
        json.dumps({"user": "ann", "host": "far", "process_id": -1, "ranks": 2, "device": "cpu"}),
        json.dumps({"user": "ann", "host": "far", "process_id": 7, "ranks": True, "device": "cpu"}),
        json.dumps({"user": "ann", "host": "far", "process_id": 7, "ranks": 2}),
    ],
)
def test_invalid_description_is_an_unknown_process(tmp_path: Path, description: str) -> None:
    held = TrainingRunLock(tmp_path, 2, "cpu")
    file_names.training_run_path(tmp_path).write_text(description)
    assert read_training_run(tmp_path) == TrainingRun()
    held.release()


def test_text_of_a_description_is_safe_to_print(tmp_path: Path) -> None:
    held = TrainingRunLock(tmp_path, 2, "cpu")
    fields = {"user": "a\x1b[31m", "host": "b\n", "process_id": 7, "ranks": 2, "device": "cpu"}
    file_names.training_run_path(tmp_path).write_text(json.dumps(fields))
    assert str(read_training_run(tmp_path)) == "2 processes of a[31m on b"
    held.release()


def test_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    file_names.training_run_lock_path(tmp_path).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="is a link"):
        TrainingRunLock(tmp_path, 1, "cpu")
    assert not (tmp_path / "elsewhere").exists()

"""Tests of training runs of two processes, real ones on this machine: exchange, lost ranks, and refusals."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.session_templates import SessionTemplates
from vaetui.engine.config import Config
from vaetui.errors import UserError
from vaetui.runtime.rank_environment import RankEnvironment, read_rank_environment
from vaetui.runtime.training_process import serve_session
from vaetui.session import lifecycle, schedule
from vaetui.session.session_snapshot import SessionSnapshot
from vaetui.storage import control_files
from vaetui.storage.training_run import TrainingRunLock, read_training_run

TIMEOUT_S = 240
PLACE = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}


@pytest.fixture
def create_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return a function that creates a session of 200 small images and returns its directory."""
    monkeypatch.setenv("VAETUI_HOME", str(tmp_path / "home"))
    data = tmp_path / "data"
    data.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (200, 12, 12), dtype=np.uint8)
    header = np.array([0x803, *pixels.shape], ">i4").tobytes()
    (data / "train-images-idx3-ubyte").write_bytes(header + pixels.tobytes())

    def create(name: str) -> Path:
        config = Config(device="cpu", threads=2)
        training = dataclasses.replace(config.training, rounds=1, warmup_epochs=1, batch_size=8)
        with closing(lifecycle.create(name, str(data), dataclasses.replace(config, training=training))) as session:
            return session.directory

    return create


def start_ranks(name: str, size: int = 2) -> list[subprocess.Popen[str]]:
    """Start the ranks of a training run, without a launcher."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": str(size)}
    return [
        subprocess.Popen(
            [sys.executable, "-m", "vaetui.train", name],
            env=os.environ | place | {"RANK": str(rank), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": str(size)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(process.communicate()[1])


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end of a process; return its exit status and what it wrote to standard error."""
    _, errors = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, errors


def compute_digest(directory: Path) -> str:
    """Return a digest of the networks of the newest checkpoint."""
    with closing(SessionSnapshot(directory)) as snapshot:
        networks, _ = snapshot.load_networks("cpu")
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in networks.state_dict().values())).hexdigest()


def test_rank_lost_while_the_session_waits_ends_the_run_with_one_sentence(
    create_session: Callable[[str], Path],
) -> None:
    directory = create_session("pair")
    first, second = start_ranks("pair")
    wait_for_line(first, "needs answers")
    run = read_training_run(directory)
    assert run is not None
    assert (run.ranks, run.process_id) == (2, first.pid)
    second.kill()
    status, errors = finish(first)
    finish(second)
    assert status == 1
    assert errors.startswith("vaetui: Rank 1 on ")
    assert errors.count("\n") == 1
    assert "was lost" in (control_files.read_failure(directory) or "")
    assert read_training_run(directory) is None
    assert schedule.read_phase(directory) == "labelling"


def test_process_that_waits_for_the_first_one_ends_by_a_signal(create_session: Callable[[str], Path]) -> None:
    create_session("pair")
    with socket.create_server(("127.0.0.1", 0)) as first_process:
        place = PLACE | {"MASTER_PORT": str(first_process.getsockname()[1])}
        second = subprocess.Popen([sys.executable, "-m", "vaetui.train", "pair"], env=os.environ | place)
        first_process.settimeout(TIMEOUT_S)
        connection, _ = first_process.accept()
        second.terminate()
        assert second.wait(TIMEOUT_S) == 128 + signal.SIGTERM
        connection.close()


@pytest.mark.slow
def test_killed_ranks_resume_with_the_bits_of_an_uninterrupted_run(create_session: Callable[[str], Path]) -> None:
    digests = []
    for name in ("whole", "killed"):
        directory = create_session(name)
        if name == "killed":
            first, second = start_ranks(name)
            wait_for_line(first, "epoch 1")
            first.kill()
            status, errors = finish(second)
            assert status == 1
            assert errors.startswith("vaetui: Rank 0 on ")
            finish(first)
        processes = start_ranks(name)
        wait_for_line(processes[0], "needs answers")
        processes[1].send_signal(signal.SIGTERM)  # passed on to the first one
        assert [finish(process)[0] for process in processes] == [0, 0]
        digests.append(compute_digest(directory))
    assert digests[0] == digests[1]


def test_run_that_is_refused_leaves_the_record_of_the_one_that_serves_the_session(
    create_session: Callable[[str], Path],
) -> None:
    directory = create_session("pair")
    run_lock = TrainingRunLock(directory, 2, "cpu")
    control_files.record_failure(directory, "The disk is full.")
    with pytest.raises(UserError, match="is being trained by 2 processes"):
        serve_session("pair", RankEnvironment())
    assert control_files.read_failure(directory) == "The disk is full."
    run_lock.release()


def test_place_of_a_process_is_read_from_variables() -> None:
    assert read_rank_environment({}) == RankEnvironment(0, 1, 0, 1)
    assert read_rank_environment(PLACE) == RankEnvironment(1, 2, 0, 1)
    assert read_rank_environment(PLACE | {"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}) == RankEnvironment(1, 2, 1, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [("RANK", "2"), ("RANK", "-1"), ("WORLD_SIZE", "0"), ("WORLD_SIZE", "x"), ("MASTER_PORT", "99999")],
)
def test_invalid_place_is_refused(name: str, value: str) -> None:
    with pytest.raises(UserError, match=name):
        read_rank_environment(PLACE | {name: value})


@pytest.mark.parametrize("name", ["RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"])
def test_incomplete_place_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=name):
        read_rank_environment({key: value for key, value in PLACE.items() if key != name})


def test_run_that_waits_for_answers_ends_with_a_sentence_when_the_session_is_deleted(
    templates: SessionTemplates, home: Path
) -> None:
    directory = templates.copy("labelling", "gone")
    command = [sys.executable, "-m", "vaetui.train", "gone"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "needs answers" in process.stdout.readline()
        shutil.rmtree(directory)
        errors = process.communicate(timeout=TIMEOUT_S)[1]
    assert (process.returncode, errors) == (2, "vaetui: Session gone was deleted.\n")
    assert not directory.exists()

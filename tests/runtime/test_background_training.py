"""`--detach` trains in the background, other commands show it, and `resume` takes it over; in real processes."""

from __future__ import annotations

import getpass
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pexpect
import pytest

from tests.command_line import (
    TIMEOUT_S,
    VAETUI,
    assert_refused,
    assert_refused_in_background,
    run_vaetui,
    spawn_vaetui,
)
from tests.idx import write_small_mnist
from tests.session.scripted_run import SMALL_CONFIG, create_session, session_digest
from tests.session_templates import SessionTemplates
from tests.small_disk import mount_small_disk
from tests.watching import holder_pid, is_unlocked, load_status, read_log, wait_until
from vaetui.errors import UserError
from vaetui.runtime import takeover
from vaetui.session import lifecycle
from vaetui.storage import control_files, file_names, locations

pytestmark = pytest.mark.usefixtures("home")
FAST_OPTIONS = ("--recipe", "paper", "--rounds", "1", "--clusters", "3")
LONG_OPTIONS = ("--recipe", "paper", "--warmup-epochs", "5000", "--rounds", "0")
"""Many minutes of training: longer than any test."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of IDX files with 200 training and 50 test digits."""
    return write_small_mnist(tmp_path_factory.mktemp("data"), train=200, test=50)


def start_in_background(*arguments: str) -> subprocess.CompletedProcess[str]:
    process = spawn_vaetui(*arguments, "--detach")
    assert process.returncode == 0, process.stderr
    return process


@contextmanager
def long_training(name: str, data: Path) -> Iterator[int]:
    """Train a new session in the background, yield the process id, and stop the training."""
    start_in_background("new", name, "--data", str(data), *LONG_OPTIONS)
    process_id = holder_pid(name)
    try:
        yield process_id
    finally:
        stop(name)


def stop(name: str) -> None:
    """End the background training of a session, unless it has ended."""
    if not is_unlocked(name):
        os.kill(holder_pid(name), signal.SIGTERM)
        wait_until(lambda: is_unlocked(name))


@pytest.mark.parametrize(
    ("options", "phase", "log_line"),
    [
        (FAST_OPTIONS, "labelling", "answers are needed"),
        (("--recipe", "paper", "--rounds", "0"), "finished", "the run is finished"),
    ],
)
def test_background_training_runs_until_answers_are_needed_or_the_run_is_finished(
    data: Path, options: tuple[str, ...], phase: str, log_line: str
) -> None:
    process = start_in_background("new", "away", "--data", str(data), *options)
    assert process.stderr == ""
    directory = locations.find_session("away")
    assert f'Training "away" in the background. Log: {file_names.log_path(directory)}\n' in process.stdout
    assert "Status: vaetui show away. Take over: vaetui resume away. Stop: vaetui stop away\n" in process.stdout
    wait_until(lambda: is_unlocked("away"))
    status = load_status("away")
    assert (status["phase"], status["detached"], status["failure"]) == (phase, False, None)
    assert log_line in read_log("away")
    assert "epoch 1 of" in read_log("away")
    assert not file_names.release_request_path(directory).exists()
    assert control_files.read_failure(directory) is None


@pytest.mark.slow
def test_resume_takes_over_and_the_session_equals_an_uninterrupted_one(data: Path) -> None:
    config = replace(SMALL_CONFIG, training=replace(SMALL_CONFIG.training, warmup_epochs=30))
    uninterrupted = create_session("uninterrupted", data, config)
    list(uninterrupted.advance())
    uninterrupted.close()
    create_session("taken", data, config).close()
    for _ in range(2):
        start_in_background("resume", "taken")
        process_id = holder_pid("taken")
    process = run_vaetui("resume", "taken", "--plain", typed="")
    assert process.returncode == 0, process.stderr
    assert "Stopping the background training of taken (" in process.stderr
    assert getpass.getuser() in process.stderr
    assert f"process {process_id}" in process.stderr
    assert read_log("taken").count("taken over by another process") == 2
    assert "Round 1 of 2: 0 of 5 clusters answered" in process.stdout
    assert session_digest("taken") == session_digest("uninterrupted")
    assert not file_names.release_request_path(locations.find_session("taken")).exists()


def test_other_commands_report_the_background_training(data: Path) -> None:
    with long_training("seen", data):
        assert load_status("seen")["detached"] is True
        assert "training in the background, epoch" in run_vaetui("show", "seen").stdout
        assert "training, background " in run_vaetui("sessions").stdout
        assert_refused("vaetui resume seen", "delete", "seen", "--yes")
        assert_refused("is being trained in the background by", "check", "seen")
    assert load_status("seen")["detached"] is False


def test_training_in_the_background_is_stopped_and_saved(data: Path) -> None:
    with long_training("away", data) as process_id:
        process = run_vaetui("stop", "away")
        assert process.returncode == 0, process.stderr
        assert f"Stopping the background training of away (process {process_id} of " in process.stderr
        assert process.stdout.endswith("Continue with: vaetui resume away\n")
        assert is_unlocked("away")
    status = load_status("away")
    assert (status["phase"], status["failure"]) == ("training", None)


@pytest.mark.slow
def test_a_detached_process_ignores_the_hangup_of_its_terminal_and_saves_on_sigterm(data: Path) -> None:
    command = [*VAETUI[1:], "new", "away", "--detach", "--data", str(data), *LONG_OPTIONS]
    child = pexpect.spawn(VAETUI[0], command, timeout=TIMEOUT_S, encoding="utf-8", dimensions=(24, 200))
    child.expect("vaetui resume away")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    process_id = holder_pid("away")
    assert os.getsid(process_id) == process_id
    os.kill(process_id, signal.SIGHUP)
    epoch = load_status("away")["epoch"]
    wait_until(lambda: load_status("away")["epoch"] > epoch)
    os.kill(process_id, signal.SIGTERM)
    wait_until(lambda: is_unlocked("away"))
    assert "stopped by signal 15" in read_log("away")
    status = load_status("away")
    assert (status["phase"], status["failure"]) == ("training", None)
    session = lifecycle.resume("away")
    assert session.phase == "training"
    session.close()


def test_ctrl_c_before_detaching_saves_and_ends_the_process(data: Path) -> None:
    command = [*VAETUI[1:], "new", "stopped", "--detach", "--data", str(data), *LONG_OPTIONS]
    child = pexpect.spawn(VAETUI[0], command, timeout=TIMEOUT_S, encoding="utf-8", dimensions=(24, 200))
    child.expect("loading PyTorch")
    child.sendintr()
    child.expect("Everything is saved. Resume with: vaetui resume stopped")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 128 + signal.SIGINT
    assert "Abort" not in (child.before or "")
    assert is_unlocked("stopped")


def test_a_session_that_is_open_in_a_terminal_is_not_taken_over(templates: SessionTemplates) -> None:
    templates.copy("training", "mine")
    session = lifecycle.resume("mine")
    assert_refused("Session mine is open in", "resume", "mine")
    assert_refused_in_background("Session mine is open in", "resume", "mine")
    assert not control_files.is_release_requested(session.directory)
    session.close()


def test_a_session_without_training_to_do_is_not_detached(templates: SessionTemplates) -> None:
    templates.copy("labelling", "asks")
    templates.copy("finished", "over")
    assert_refused_in_background("Session asks needs answers before it can train", "resume", "asks")
    assert_refused_in_background("Session over is finished", "resume", "over")


def test_plain_and_detach_exclude_each_other(home: Path) -> None:
    process = run_vaetui("new", "both", "--plain", "--detach")
    assert (process.returncode, "--plain and --detach exclude each other" in process.stderr) == (2, True)
    assert not (home / "sessions").exists()


def test_errors_before_detaching_are_printed_in_the_terminal(
    data: Path, templates: SessionTemplates, tmp_path: Path
) -> None:
    templates.copy("training", "existing")
    assert_refused_in_background("Session existing already exists", "new", "existing")
    assert_refused_in_background("There is no session nowhere", "resume", "nowhere")
    images = write_small_mnist(tmp_path / "digits", train=100, test=20)
    create_session("gone", images).close()
    for file in images.iterdir():
        file.unlink()
    assert_refused_in_background("contains no images", "new", "--data", str(images))
    assert_refused_in_background("has no training images", "resume", "gone")
    assert is_unlocked("gone")


def test_a_system_without_fork_is_refused() -> None:
    program = "import os; del os.fork; from vaetui.cli.main import main; main()"
    process = subprocess.run(
        [sys.executable, "-c", program, "new", "alone", "--detach"], capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == "vaetui: --detach is not supported on this system. Run the command without it.\n"
    assert locations.list_session_names() == []


@pytest.mark.slow
def test_a_killed_process_is_reported_by_show_and_by_the_next_resume(data: Path) -> None:
    with long_training("killed", data) as process_id:
        os.kill(process_id, signal.SIGKILL)
        wait_until(lambda: is_unlocked("killed"))
        assert "training, failed, epoch" in run_vaetui("show", "killed").stdout
        assert "it stopped without an error message" in load_status("killed")["failure"]
        process = start_in_background("resume", "killed")
        assert "Training failed: it stopped without an error message" in process.stderr
        assert load_status("killed")["failure"] is None


@pytest.mark.slow
def test_a_full_disk_is_reported_by_show_and_training_can_be_resumed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mount_small_disk(tmp_path, kilobytes=30_000) as disk:
        monkeypatch.setenv("VAETUI_HOME", str(disk))
        with long_training("full", data):
            with pytest.raises(OSError, match="No space"), (disk / "filler").open("wb", buffering=0) as filler:
                while True:
                    filler.write(bytes(4096))
            wait_until(lambda: is_unlocked("full"))
            assert "is full. Free some space" in load_status("full")["failure"]
            (disk / "filler").unlink()
            start_in_background("resume", "full")


def test_an_old_release_request_does_not_stop_the_training(digits: Path) -> None:
    session = create_session("asked", digits)
    session.close()
    control_files.request_release(session.directory)
    start_in_background("resume", "asked")
    wait_until(lambda: is_unlocked("asked"))
    assert load_status("asked")["phase"] == "labelling"


def test_a_relative_home_stays_valid_after_detaching(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAETUI_HOME", "here")
    start_in_background("new", "near", "--data", str(data), *FAST_OPTIONS)
    wait_until(lambda: is_unlocked("near"))
    assert load_status("near")["phase"] == "labelling"
    assert (tmp_path / "here/sessions/near").is_dir()


def test_a_process_that_does_not_stop_in_time_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with long_training("stuck", data) as process_id:
        os.kill(process_id, signal.SIGSTOP)
        monkeypatch.setattr(takeover, "TIMEOUT_S", 0.3)
        directory = locations.find_session("stuck")
        try:
            with pytest.raises(UserError, match=rf"stuck did not stop within 0 seconds \(.*process {process_id}"):
                takeover.stop_background_training(directory)
        finally:
            os.kill(process_id, signal.SIGCONT)
        assert not control_files.is_release_requested(directory)

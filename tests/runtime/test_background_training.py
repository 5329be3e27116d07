"""`--detach`: training goes on without a terminal, anyone can look, and `resume` takes it over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pexpect
import pytest

from tests.command_line import VAETUI, assert_refused, run_vaetui
from tests.session.scripted_run import SMALL_CONFIG, session_digest, create_session, start_labelling
from tests.small_disk import mount_small_disk
from tests.watching import wait_until, is_unlocked, holder_pid, read_log, load_status
from vaetui.errors import UserError
from vaetui.session import lifecycle
from vaetui.storage import control_files, file_names
from vaetui.storage import locations as sessions

pytestmark = pytest.mark.usefixtures("home")
QUICK = ("--recipe", "paper", "--rounds", "1", "--clusters", "3")
LONG = ("--recipe", "paper", "--warmup-epochs", "500", "--rounds", "0")
"""Some minutes of training: more than any test here waits for."""


def detached(name: str, data: Path, *options: str) -> int:
    """Begin a session without a terminal, and give the number of its process."""
    told = run_vaetui("new", name, "--detach", "--data", str(data), *options)
    assert told.returncode == 0, told.stderr
    return holder_pid(name)


@pytest.mark.parametrize(
    ("options", "phase", "reason"),
    [
        (QUICK, "labelling", "answers are needed"),
        (("--recipe", "paper", "--rounds", "0"), "finished", "the run is over"),
    ],
)
def test_training_goes_on_without_a_terminal_until_a_person_is_needed(
    digits: Path, options: tuple[str, ...], phase: str, reason: str
) -> None:
    told = run_vaetui("new", "away", "--detach", "--data", str(digits), *options)
    assert (told.returncode, told.stderr) == (0, "")
    for words in ("away trains on without a terminal", "vaetui show away", "vaetui resume away", "log.txt"):
        assert words in told.stdout
    wait_until(lambda: is_unlocked("away"))
    shown = load_status("away")
    assert (shown["phase"], shown["detached"], shown["failure"]) == (phase, False, None)
    assert reason in read_log("away")
    assert "epoch 1 of" in read_log("away")
    assert not [
        path.name for path in sessions.find_session("away").iterdir() if path.name in ("release_request", "failure.txt")
    ]


def test_resume_takes_over_and_ends_in_the_same_bits(digits: Path) -> None:
    config = replace(SMALL_CONFIG, training=replace(SMALL_CONFIG.training, warmup_epochs=15))
    undisturbed = create_session("undisturbed", digits, config)
    list(undisturbed.advance())
    undisturbed.close()
    create_session("taken", digits, config).close()
    for _ in range(2):
        assert run_vaetui("resume", "taken", "--detach").returncode == 0
        process = holder_pid("taken")
    told = run_vaetui("resume", "taken", "--plain", typed="")
    assert told.returncode == 0, told.stderr
    assert f"Stopping the background training of taken (process {process} of {_me()} on " in told.stderr
    assert read_log("taken").count("taken over by another process") == 2
    assert "round 1 of 2: 5 clusters" in told.stdout
    assert session_digest("taken") == session_digest("undisturbed")
    assert not file_names.release_request_path(sessions.find_session("taken")).exists()


def _me() -> str:
    import getpass

    return getpass.getuser()


def test_who_looks_is_told_that_it_is_trained_without_a_terminal(digits: Path) -> None:
    process = detached("seen", digits, *LONG)
    assert load_status("seen")["detached"] is True
    assert "training, detached, epoch" in run_vaetui("show", "seen").stdout
    assert "training, detached" in run_vaetui("sessions").stdout
    told = run_vaetui("export", "seen", "-o", "seen.csv")
    assert told.returncode == 2
    assert "is being trained in the background by process" in told.stderr
    assert "Continue it with: vaetui resume seen" in told.stderr
    os.kill(process, signal.SIGTERM)
    wait_until(lambda: is_unlocked("seen"))
    assert load_status("seen")["detached"] is False


def test_it_belongs_to_no_terminal_ignores_its_end_and_saves_when_asked_to_leave(digits: Path) -> None:
    child = pexpect.spawn(
        VAETUI[0],
        [*VAETUI[1:], "new", "away", "--detach", "--data", str(digits), *LONG],
        timeout=60,
        encoding="utf-8",
    )
    child.expect("vaetui resume away")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    process = holder_pid("away")
    assert os.getsid(process) == process
    os.kill(process, signal.SIGHUP)
    reached = load_status("away")["epoch"]
    wait_until(lambda: load_status("away")["epoch"] > reached)
    os.kill(process, signal.SIGTERM)
    wait_until(lambda: is_unlocked("away"))
    assert "asked to leave by signal 15" in read_log("away")
    shown = load_status("away")
    assert (shown["phase"], shown["failure"]) == ("training", None)
    assert lifecycle.resume("away").phase == "training"


def test_ctrl_c_before_the_terminal_is_left_saves_and_ends_once(digits: Path) -> None:
    child = pexpect.spawn(
        VAETUI[0],
        [*VAETUI[1:], "new", "stopped", "--detach", "--data", str(digits), *LONG],
        timeout=60,
        encoding="utf-8",
    )
    child.expect("loading PyTorch")
    child.sendintr()
    child.expect("Everything is saved. Come back with: vaetui resume stopped")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 128 + signal.SIGINT
    assert "Abort" not in (child.before or "")
    assert is_unlocked("stopped")


def test_nobody_takes_over_from_a_person(digits: Path) -> None:
    session = create_session("mine", digits)
    for options in ([], ["--detach"], ["--plain"]):
        assert_refused("Session mine is open in process", "resume", "mine", *options)
    assert not control_files.is_release_requested(session.directory)
    session.close()


def test_what_cannot_be_detached_is_refused_in_a_sentence(digits: Path) -> None:
    start_labelling("asks", digits)
    assert_refused(
        "The session asks waits for answers, and for you to give them: vaetui resume asks", "resume", "asks", "--detach"
    )
    assert (
        run_vaetui("new", "over", "--plain", "--data", str(digits), *QUICK, "--rounds", "0", typed="").returncode == 0
    )
    assert_refused("The run of over is over", "resume", "over", "--detach")
    told = run_vaetui("new", "both", "--plain", "--detach", "--data", str(digits))
    assert (told.returncode, "--plain asks you" in told.stderr) == (2, True)
    assert sorted(sessions.session_names()) == ["asks", "over"]


def test_what_is_wrong_is_told_before_the_terminal_is_left(digits: Path, tmp_path: Path) -> None:
    create_session("there", digits).close()
    assert_refused("Session there already exists", "new", "there", "--detach")
    assert_refused("holds no images", "new", "--detach", "--data", str(tmp_path))
    assert_refused("There is no session nowhere", "resume", "nowhere", "--detach")
    (tmp_path / "digits").mkdir()
    for file in digits.iterdir():
        (tmp_path / "digits" / file.name).write_bytes(file.read_bytes())
    create_session("gone", tmp_path / "digits").close()
    for file in (tmp_path / "digits").iterdir():
        file.unlink()
    assert_refused("has no training images", "resume", "gone", "--detach")
    assert is_unlocked("gone")


def test_a_system_without_fork_is_told_to_do_without() -> None:
    program = "import os; del os.fork; from vaetui.cli.main import main; main()"
    told = subprocess.run(
        [sys.executable, "-c", program, "new", "alone", "--detach"], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == "vaetui: This system cannot go on without its terminal; run it again without --detach.\n"
    assert sessions.session_names() == []


def test_one_that_was_killed_is_told_by_the_next_who_looks_and_who_resumes(digits: Path) -> None:
    process = detached("killed", digits, *LONG)
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: is_unlocked("killed"))
    assert "training, failed, epoch" in run_vaetui("show", "killed").stdout
    assert "it ended without a word" in load_status("killed")["failure"]
    told = run_vaetui("resume", "killed", "--detach")
    assert told.returncode == 0
    assert "Training without a terminal had ended: it ended without a word" in told.stderr
    assert load_status("killed")["failure"] is None
    os.kill(holder_pid("killed"), signal.SIGTERM)
    wait_until(lambda: is_unlocked("killed"))


def test_a_full_disk_is_told_by_the_next_who_looks(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mount_small_disk(tmp_path, kilobytes=30_000) as disk:
        monkeypatch.setenv("VAETUI_HOME", str(disk))
        detached("full", digits, *LONG)
        with pytest.raises(OSError, match="No space"), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        wait_until(lambda: is_unlocked("full"))
        assert "is full. Free some space and try again" in load_status("full")["failure"]
        (disk / "filler").unlink()
        assert run_vaetui("resume", "full", "--detach").returncode == 0
        os.kill(holder_pid("full"), signal.SIGTERM)
        wait_until(lambda: is_unlocked("full"))


def test_a_request_that_nobody_waits_for_is_swept(digits: Path) -> None:
    session = create_session("asked", digits)
    session.close()
    control_files.request_release(session.directory)
    assert run_vaetui("resume", "asked", "--detach").returncode == 0
    wait_until(lambda: is_unlocked("asked"))
    assert load_status("asked")["phase"] == "labelling"


def test_a_relative_home_is_still_there_once_the_directory_is_left(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAETUI_HOME", "here")
    assert run_vaetui("new", "near", "--detach", "--data", str(digits), *QUICK).returncode == 0
    wait_until(lambda: is_unlocked("near"))
    assert load_status("near")["phase"] == "labelling"
    assert (tmp_path / "here/sessions/near").is_dir()


def test_who_does_not_leave_in_time_is_named(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vaetui.runtime import takeover

    process = detached("stuck", digits, *LONG)
    os.kill(process, signal.SIGSTOP)
    monkeypatch.setattr(takeover, "TIMEOUT_S", 0.3)
    directory = sessions.find_session("stuck")
    with pytest.raises(UserError, match=rf"stuck was not left .* process {process}; end that process"):
        takeover.take_over(directory)
    assert not control_files.is_release_requested(directory)
    os.kill(process, signal.SIGCONT)
    os.kill(process, signal.SIGTERM)
    wait_until(lambda: is_unlocked("stuck"))

"""Test `stop` on the command line; background training itself is tested in `tests/runtime`."""

from __future__ import annotations

import platform
import subprocess
import sys
import threading

import pytest

from tests.command_line import assert_refused, run_vaetui
from tests.session_templates import SessionTemplates, TemplatePhase
from tests.watching import wait_until
from vaetui.session import lifecycle
from vaetui.storage import control_files, file_names
from vaetui.storage.lock import write_description
from vaetui.storage.training_run import TrainingRunLock

pytestmark = pytest.mark.usefixtures("home")


def test_run_that_waits_for_answers_is_stopped(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "served")
    command = [sys.executable, "-m", "vaetui.train", "served"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as training:
        assert training.stdout is not None
        assert "needs answers" in training.stdout.readline()
        process = run_vaetui("stop", "served")
        assert training.wait(60) == 0
    assert process.returncode == 0
    assert "Stopping the background training of served (1 process of " in process.stderr
    end = "Training has stopped, and everything is saved. Continue with: vaetui resume served\n"
    assert process.stdout == end
    assert not control_files.is_release_requested(directory)
    assert control_files.read_failure(directory) is None


@pytest.mark.parametrize(
    ("host", "command"),
    [(platform.node(), "vaetui resume served --ranks 2"), ("node7.example", "vaetui resume served")],
)
def test_run_of_several_processes_continues_with_as_many_if_this_machine_can_start_them(
    templates: SessionTemplates, host: str, command: str
) -> None:
    directory = templates.copy("training", "served")
    run_lock = TrainingRunLock(directory, 2, "cpu")
    run = {"user": "ann", "host": host, "process_id": 7, "ranks": 2, "device": "cpu"}
    write_description(file_names.training_run_path(directory), run)

    def serve() -> None:
        wait_until(lambda: control_files.is_release_requested(directory))
        run_lock.release()

    thread = threading.Thread(target=serve)
    thread.start()
    process = run_vaetui("stop", "served")
    thread.join()
    assert (process.returncode, process.stdout.endswith(f"Continue with: {command}\n")) == (0, True)


@pytest.mark.parametrize("phase", ["training", "labelling", "finished"])
def test_session_that_nothing_trains_is_left_as_it_is(templates: SessionTemplates, phase: TemplatePhase) -> None:
    directory = templates.copy(phase, "idle")
    control_files.record_failure(directory, "The disk is full.")
    process = run_vaetui("stop", "idle")
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout == "Session idle is not being trained. Nothing was stopped.\n"
    assert control_files.read_failure(directory) == "The disk is full."


def test_session_that_is_open_in_a_terminal_is_not_stopped(templates: SessionTemplates) -> None:
    session = lifecycle.resume_at(templates.copy("training", "mine"))
    assert_refused("Close it there first.", "stop", "mine")
    assert not control_files.is_release_requested(session.directory)
    session.close()


def test_unknown_session_is_refused() -> None:
    assert_refused("There is no session seen", "stop", "seen")

"""Test --ranks and sessions that other processes train, on the command line."""

from __future__ import annotations

import pytest

from tests.command_line import assert_refused, run_vaetui
from tests.session_templates import SessionTemplates, TemplatePhase
from vaetui.cpu_threads import count_usable_cpus
from vaetui.runtime.local_ranks import describe_crowding
from vaetui.storage import file_names
from vaetui.storage.lock import Lock, read_holder, write_description
from vaetui.storage.training_run import TrainingRunLock

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize("options", [("--ranks", "2"), ("--device", "cpu"), ("--detach",)])
def test_options_of_training_are_refused_while_other_processes_train(
    templates: SessionTemplates, options: tuple[str, ...]
) -> None:
    run_lock = TrainingRunLock(templates.copy("training", "shared"), 1, "cpu")
    assert_refused(f"Attach to it without {options[0]}.", "resume", "shared", *options)
    run_lock.release()


@pytest.mark.parametrize("options", [(), ("--ranks", "2"), ("--device", "cpu"), ("--detach",)])
def test_round_that_is_open_in_an_app_has_to_be_closed_there_first(
    templates: SessionTemplates, options: tuple[str, ...]
) -> None:
    directory = templates.copy("labelling", "shared")
    run_lock, session_lock = TrainingRunLock(directory, 2, "cpu"), Lock(directory)
    run = {"user": "ann", "host": "node1", "process_id": 7, "ranks": 2, "device": "cpu"}
    write_description(file_names.training_run_path(directory), run)
    message = f"Session shared is open in {read_holder(directory)}. Close it there first."
    assert_refused(message, "resume", "shared", *options)
    session_lock.release()
    if options:
        assert_refused(f"Attach to it without {options[0]}.", "resume", "shared", *options)
    run_lock.release()


def test_round_needs_answers_before_processes_train_in_the_background(templates: SessionTemplates) -> None:
    templates.copy("labelling", "shared")
    assert_refused("needs answers before it can train", "resume", "shared", "--ranks", "1", "--detach")


def test_plain_and_detach_are_refused_together(templates: SessionTemplates) -> None:
    process = run_vaetui("resume", "shared", "--ranks", "2", "--plain", "--detach")
    assert (process.returncode, "--plain and --detach exclude each other" in process.stderr) == (2, True)


@pytest.mark.parametrize("phase", ["labelling", "finished"])
def test_session_that_was_left_continues_with_the_same_number_of_processes(
    templates: SessionTemplates, phase: TemplatePhase
) -> None:
    templates.copy(phase, "shared")
    process = run_vaetui("resume", "shared", "--plain", "--ranks", "2", typed="")
    assert process.returncode == 0
    assert "Everything is saved. Resume with: vaetui resume shared --ranks 2\n" in process.stdout
    assert run_vaetui("resume", "shared", "--plain", typed="").stdout.count("vaetui resume shared\n") == 1


def test_session_that_was_attached_to_is_attached_to_again_without_a_number(templates: SessionTemplates) -> None:
    run_lock = TrainingRunLock(templates.copy("labelling", "shared"), 2, "cpu")
    process = run_vaetui("resume", "shared", "--plain", typed="")
    assert "Attach again with: vaetui resume shared\n" in process.stdout
    run_lock.release()


def test_more_processes_than_cpus_are_reported() -> None:
    cpus = count_usable_cpus()
    assert describe_crowding(cpus) == ""
    assert describe_crowding(cpus + 1).endswith(f", {cpus + 1} processes train no faster than {cpus}.")

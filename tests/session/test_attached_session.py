"""Test sessions that other processes train and this process answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.session_templates import SessionTemplates
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.events import Event, Progress, Watched
from vaetui.errors import UserError
from vaetui.runtime import takeover
from vaetui.runtime.local_ranks import LocalRanks, train_detached
from vaetui.session import attached_session, lifecycle, watched_session
from vaetui.session.attached_session import AttachedSession
from vaetui.storage import control_files, lock, training_run
from vaetui.storage.training_run import TrainingRunLock

pytestmark = pytest.mark.usefixtures("home")
TIMEOUT_S = 120


@pytest.fixture(autouse=True)
def short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_session, "POLL_INTERVAL_S", 0.05)
    monkeypatch.setattr(attached_session, "VANISHED_TIMEOUT_S", 0)


@pytest.fixture
def run_lock(templates: SessionTemplates) -> Iterator[Callable[[Path], TrainingRunLock]]:
    """Hold the lock of a training run of two processes, which do nothing."""
    locks: list[TrainingRunLock] = []

    def acquire(directory: Path) -> TrainingRunLock:
        locks.append(TrainingRunLock(directory, 2, "cpu"))
        return locks[-1]

    yield acquire
    for held_lock in locks:
        held_lock.release()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def read_until_watched(events: Iterator[Event]) -> Watched:
    return next(event for event in events if isinstance(event, Watched))


def answer_round(session: AttachedSession) -> None:
    clusters = session.round_view().clusters
    session.record_answers([(cluster.path, ClassAnswer(index % 2)) for index, cluster in enumerate(clusters)])
    session.close_round()


def test_session_is_watched_while_others_train_it_and_opened_for_its_round(
    templates: SessionTemplates, run_lock: Callable[[Path], TrainingRunLock]
) -> None:
    directory = templates.copy("labelling", "shared")
    run_lock(directory)
    with closing(AttachedSession(directory)) as session:
        assert (session.access, session.phase) == ("full", "labelling")
        assert lock.read_holder(directory) is not None
        assert session.describe_run().startswith("Answers are needed by 2 processes of ")
        answer_round(session)
        assert (session.access, session.phase) == ("attached", "training")
        assert lock.read_holder(directory) is None  # the others train now
        assert read_until_watched(session.advance()).users.startswith("trained by 2 processes of ")
        assert session.describe_run().startswith("Training continues in 2 processes of ")
        with pytest.raises(UserError, match="only watched here"):
            session.undo()


def test_round_is_opened_when_the_others_have_closed_it_and_slow_calls_go_on(
    templates: SessionTemplates, run_lock: Callable[[Path], TrainingRunLock]
) -> None:
    directory = templates.copy("labelling", "shared")
    run_lock(directory)
    with closing(AttachedSession(directory)) as session:
        answer_round(session)
        samples = session.generate_samples(4, None, 0)
        next(samples)
        events = session.advance()
        with closing(lifecycle.resume_at(directory)) as trained_session:
            list(trained_session.advance())
            assert next(event for event in events if isinstance(event, Progress)).activity.startswith("waiting")
        list(events)
        assert (session.access, session.phase) == ("full", "labelling")
        assert list(samples)


def test_round_without_a_training_run_is_trained_here(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "shared")
    with closing(AttachedSession(directory)) as session:
        session.close_round()
        assert (session.access, session.phase, session.describe_run()) == ("full", "training", "")
        assert lock.read_holder(directory) is not None


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        ("", "The processes that trained shared have ended; the last checkpoint is saved."),
        ("The disk is full.", "The processes that trained shared have failed: The disk is full."),
    ],
)
def test_end_of_the_training_run_is_a_sentence_with_the_command_to_continue(
    templates: SessionTemplates, run_lock: Callable[[Path], TrainingRunLock], failure: str, message: str
) -> None:
    directory = templates.copy("training", "shared")
    held_lock = run_lock(directory)
    with closing(AttachedSession(directory)) as session:
        events = session.advance()
        read_until_watched(events)
        held_lock.release()
        if failure:
            control_files.record_failure(directory, failure)
        with pytest.raises(UserError) as error:
            list(events)
    assert str(error.value) == f"{message} Continue with: vaetui resume shared"
    assert control_files.read_failure(directory) is None


def test_session_that_a_third_process_has_open_is_refused(templates: SessionTemplates) -> None:
    directory = templates.copy("labelling", "shared")
    with closing(lifecycle.resume_at(directory)), pytest.raises(UserError, match="Close it there first"):
        AttachedSession(directory)


class EndedProcesses:
    """Processes of which one has ended."""

    def __init__(self, actions: list[str]) -> None:
        self._actions = actions
        actions.append("start")

    def is_running(self) -> bool:
        return False

    def stop(self) -> None:
        self._actions.append("stop")

    def describe_end(self) -> str:
        return ""


def test_processes_that_are_left_are_stopped_before_others_start(templates: SessionTemplates) -> None:
    actions: list[str] = []
    with closing(AttachedSession(templates.copy("training", "shared"), partial(EndedProcesses, actions))) as session:
        first_events = session.advance()
        next(first_events)
        events = session.advance()
        next(events)
        assert actions == ["start", "stop", "start"]
        events.close()
        assert actions == ["start", "stop", "start", "stop"]


@pytest.mark.slow
def test_process_of_this_machine_trains_between_the_rounds_and_ends_with_the_session(
    templates: SessionTemplates,
) -> None:
    directory = templates.copy("training", "shared")
    ranks: list[LocalRanks] = []

    def start() -> LocalRanks:
        ranks.append(LocalRanks(directory, 1))
        return ranks[-1]

    with closing(AttachedSession(directory, start)) as session:
        events = list(session.advance())
        users = {event.users for event in events if isinstance(event, Watched)}
        assert "starting the processes that train" in users
        assert any(text.startswith("trained by 1 process of ") for text in users)
        assert (session.access, session.phase, session.round_number) == ("full", "labelling", 1)
        answer_round(session)
        list(session.advance())
        assert (session.access, session.phase, session.round_number) == ("full", "labelling", 2)
        assert len(ranks) == 1  # it went on
        assert ranks[0].is_running()
    assert not ranks[0].is_running()
    assert training_run.read_training_run(directory) is None
    assert control_files.read_failure(directory) is None


@pytest.mark.slow
def test_killed_process_of_this_machine_ends_with_a_sentence_and_closing_stops_it(
    templates: SessionTemplates,
) -> None:
    directory = templates.copy("training", "shared")
    with closing(AttachedSession(directory, partial(LocalRanks, directory, 1))) as session:
        events = session.advance()
        wait_until(lambda: next(events) and training_run.read_training_run(directory))
        run = training_run.read_training_run(directory)
        assert run is not None
        os.kill(run.process_id, signal.SIGKILL)
        message = "Process 1 of 1 was ended by SIGKILL; the last checkpoint is saved. Continue with: vaetui resume"
        with pytest.raises(UserError, match=message):
            list(events)
        assert session.phase == "training"
        assert control_files.read_failure(directory) is None  # the user has read it
    with closing(AttachedSession(directory, partial(LocalRanks, directory, 1))) as session:
        events = session.advance()
        wait_until(lambda: next(events) and training_run.read_training_run(directory))
        events.close()  # the user leaves
        assert training_run.read_training_run(directory) is None


@pytest.mark.slow
def test_processes_end_when_the_process_that_started_them_is_killed_unless_they_are_detached(
    templates: SessionTemplates,
) -> None:
    directory = templates.copy("training", "shared")
    code = "import sys, time; from pathlib import Path; from vaetui.runtime.local_ranks import LocalRanks; "
    code += "ranks = LocalRanks(Path(sys.argv[1]), 1); time.sleep(1000)"
    starter = subprocess.Popen([sys.executable, "-c", code, str(directory)])
    wait_until(lambda: training_run.read_training_run(directory))
    starter.kill()
    starter.wait()
    wait_until(lambda: training_run.read_training_run(directory) is None)
    train_detached(directory, 1)
    assert training_run.read_training_run(directory) is not None
    assert takeover.stop_training(directory) == "vaetui resume shared"
    assert training_run.read_training_run(directory) is None


def test_processes_that_cannot_train_report_why(templates: SessionTemplates) -> None:
    directory = templates.copy("finished", "shared")
    with pytest.raises(UserError, match=r"^Session shared is finished\. View it with: vaetui resume shared$"):
        train_detached(directory, 1)

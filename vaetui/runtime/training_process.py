"""Serve a session as its training run: train whenever no answers are needed, as one process or as one of several."""

from __future__ import annotations

import logging
import platform
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

import vaetui
from vaetui.errors import UserError
from vaetui.runtime import session_runner
from vaetui.runtime.background_training import DEFAULT_FAILURE_MESSAGE, describe_finished
from vaetui.runtime.rank_environment import LOST_RANK_TEXT, RESTART_ADVICE, CommonError, RankEnvironment
from vaetui.signals import SHUTDOWN_SIGNALS, ShutdownRequested, ShutdownSignals, find_exit_status
from vaetui.storage import control_files, file_names, locations, lock
from vaetui.storage.training_run import TrainingRunLock

if TYPE_CHECKING:
    from vaetui.engine.rank_connection import RankConnection
    from vaetui.session.views import Phase

POLL_INTERVAL_S = 0.5
"""Seconds between two looks at a session that waits for answers."""


def serve_session(name: str, environment: RankEnvironment) -> int:
    """Train a session until it is finished or this process is asked to stop; return the exit status.

    Raises UserError, on every rank, for a session that cannot be trained.
    """
    if environment.size == 1:
        return _TrainingProcess(locations.find_session(name), None).run()
    signal_forwarder = _SignalForwarder() if environment.rank else None  # before PyTorch starts threads
    description = {"host": platform.node(), "vaetui": vaetui.__version__, "failure": ""}
    directory = Path()
    try:
        directory = locations.find_session(name)
    except UserError as error:
        description["failure"] = str(error)
    from vaetui.engine.rank_connection import connect

    connection = connect(
        environment.rank, environment.size, environment.local_rank, environment.local_size, description
    )
    if signal_forwarder is not None:
        signal_forwarder.connection = connection
    _require_equal_ranks(connection.descriptions)
    connection.watch(lambda lost_rank: _end_after_loss(connection, directory, lost_rank))
    process: _TrainingProcess | _FollowingProcess
    if environment.rank == 0:
        process = _TrainingProcess(directory, connection)
    else:
        process = _FollowingProcess(directory, connection)
    return process.run()


class _TrainingProcess:
    """The first process of a training run, which owns the session."""

    def __init__(self, directory: Path, connection: RankConnection | None) -> None:
        self._directory = directory
        self._connection = connection
        self._world = None if connection is None else connection.world
        self._signals = ShutdownSignals()
        self._logger = logging.getLogger("vaetui")

    def run(self) -> int:
        try:
            status = self._serve()
        except UserError:
            self._end_ranks(2)
            raise
        self._end_ranks(status)
        return status

    def _serve(self) -> int:
        from vaetui.session import schedule
        from vaetui.storage.repository import SessionRepository

        name, size = self._directory.name, 1 if self._world is None else self._world.size
        phase: Phase = schedule.read_phase(self._directory)
        if phase == "finished":
            raise UserError(describe_finished(name))
        repository = SessionRepository(self._directory)
        device = repository.config.device
        repository.close()
        run_lock = TrainingRunLock(self._directory, size, device)
        try:
            control_files.record_failure(self._directory, DEFAULT_FAILURE_MESSAGE)
            control_files.cancel_release_request(self._directory)
            with suppress(ShutdownRequested), self._signals:
                while phase == "training" or (phase == "labelling" and self._wait_for_answers()):
                    phase = self._train(is_first=phase == "training")
                    if self._is_stop_requested():
                        break
            control_files.remove_control_files(self._directory)
        except UserError as error:
            with suppress(UserError):  # a full disk may be the failure itself
                control_files.record_failure(self._directory, str(error))
            raise
        finally:
            run_lock.release()
        saved = f"Everything is saved. Go on with: vaetui resume {name}"
        self._print(describe_finished(name) if phase == "finished" else saved)
        return find_exit_status(self._signals.signal_number)

    def _train(self, is_first: bool) -> Phase:
        """Train until answers are needed, the run is finished or this process is asked to stop; return the phase."""
        from vaetui.session import lifecycle
        from vaetui.tui.presenters.event_text import EventFormatter

        try:
            session = lifecycle.resume_at(self._directory, world=self._world)
        except UserError:
            if is_first or lock.read_holder(self._directory) is None:
                raise
            return "labelling"  # another process opened it first; it is free again when its round is answered
        with session_runner.open_session(lambda: session):
            with suppress(UserError):  # of a full disk; a process that opened the session has removed the record
                control_files.record_failure(self._directory, DEFAULT_FAILURE_MESSAGE)
            formatter = EventFormatter(session.epoch_count, session.round_count)
            events = session.advance()
            with _explain_lost_rank(self._connection):
                for event in events:
                    if self._is_stop_requested():
                        events.close()  # saves the session
                        break
                    if (line := formatter.format_event(event)) is not None:
                        self._print(line)
            return session.phase

    def _wait_for_answers(self) -> bool:
        """Wait until the round has been answered and the session is free; return False if asked to stop."""
        from vaetui.session import schedule

        self._print(f"The round needs answers. Answer with: vaetui resume {self._directory.name}")
        self._signals.is_interruptible = True
        database_path, changed_at = file_names.database_path(self._directory), 0
        while not self._is_stop_requested():
            try:
                if lock.read_holder(self._directory) is None:
                    last_change = database_path.stat().st_mtime_ns
                    if last_change != changed_at and schedule.read_phase(self._directory) != "labelling":
                        self._signals.is_interruptible = False
                        return True
                    changed_at = last_change
            except (OSError, UserError):
                if not database_path.exists():
                    raise UserError(f"Session {self._directory.name} was deleted.") from None
                raise
            time.sleep(POLL_INTERVAL_S)
        return False

    def _is_stop_requested(self) -> bool:
        return bool(
            self._signals.signal_number
            or control_files.is_release_requested(self._directory)
            or (self._connection is not None and self._connection.is_stop_requested)
        )

    def _print(self, line: str) -> None:
        self._logger.info(line)
        with suppress(OSError):  # training continues even if standard output is closed
            click.echo(line)

    def _end_ranks(self, status: int) -> None:
        if self._connection is not None:
            from vaetui.session.ranks import end_ranks

            with _explain_lost_rank(self._connection):
                end_ranks(self._connection.world, status)
            self._connection.end()


class _FollowingProcess:
    """Another process of a training run, which does what the first one commands."""

    def __init__(self, directory: Path, connection: RankConnection) -> None:
        self._directory = directory
        self._connection = connection

    def run(self) -> int:
        from vaetui.session.ranks import FollowingRank

        with session_runner.log_crash(self._directory), _explain_lost_rank(self._connection):
            status = FollowingRank(self._directory, self._connection.world).run()
        self._connection.end()
        return status


class _SignalForwarder:
    """Passes a shutdown signal on to the first process, which ends all in good order; ends this one until it connects.

    The signals are blocked in the threads of this process, and a thread of its own waits for them: the main one cannot
    handle any while it waits for the other processes.
    """

    def __init__(self) -> None:
        """Wait for signals from now on, where the system allows it."""
        self.connection: RankConnection | None = None
        """The connection to the first process, once there is one."""
        if hasattr(signal, "pthread_sigmask"):
            self._signals = {getattr(signal, name) for name in SHUTDOWN_SIGNALS}
            signal.pthread_sigmask(signal.SIG_BLOCK, self._signals)
            threading.Thread(target=self._wait_for_signal, name="vaetui-signals", daemon=True).start()

    def _wait_for_signal(self) -> None:
        signal_number = signal.sigwait(self._signals)
        if self.connection is None:
            session_runner.exit_immediately(find_exit_status(signal_number))
        else:
            self.connection.request_stop()


@contextmanager
def _explain_lost_rank(connection: RankConnection | None) -> Iterator[None]:
    """Wait, after an exchange failed, until the lost rank is found, which ends the process."""
    try:
        yield
    except RuntimeError:
        if connection is not None:
            connection.wait_for_lost_rank()
        raise


def _end_after_loss(connection: RankConnection, directory: Path, lost_rank: int) -> None:
    """Report a lost rank and end this process at once: its main thread may be waiting for that rank."""
    name, rank = directory.name, connection.world.rank
    message = (
        f"Rank {lost_rank} on {connection.descriptions[lost_rank]['host']} {LOST_RANK_TEXT} The last checkpoint of "
        f"{name} is saved. {RESTART_ADVICE}"
    )
    if rank == (1 if lost_rank == 0 else 0):
        with suppress(UserError):
            control_files.record_failure(directory, message)
    with suppress(OSError):
        click.echo(f"vaetui: {message}", err=True)
    if rank == 0:
        connection.announce_loss(lost_rank)
    session_runner.exit_immediately(1)


def _require_equal_ranks(descriptions: list[dict[str, str]]) -> None:
    """Raise CommonError, the same on every rank, if a rank cannot find the session or runs other versions."""
    failures = [description["failure"] for description in descriptions]
    if any(failures):
        rank, failure = next((rank, failure) for rank, failure in enumerate(failures) if failure)
        everywhere = len(set(failures)) == 1
        raise CommonError(failure if everywhere else f"Rank {rank} on {descriptions[rank]['host']}: {failure}")
    first = descriptions[0]
    for rank, description in enumerate(descriptions):
        if (description["vaetui"], description["torch"]) != (first["vaetui"], first["torch"]):
            raise CommonError(
                f"Rank {rank} on {description['host']} has vaetui {description['vaetui']} and PyTorch "
                f"{description['torch']}, but rank 0 on {first['host']} has vaetui {first['vaetui']} and PyTorch "
                f"{first['torch']}. Install the same versions on all machines."
            )

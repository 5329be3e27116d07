"""A session that other processes train: it is watched while they do, and opened to answer its rounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from vaetui.engine.events import Event, Loading, Progress, Watched
from vaetui.errors import UserError
from vaetui.session import lifecycle
from vaetui.session.session import Session
from vaetui.session.session_proxy import SessionProxy
from vaetui.session.session_users import find_users
from vaetui.session.views import SessionAccess
from vaetui.session.watched_session import WatchedSession
from vaetui.storage import control_files, training_run

RELEASE_TIMEOUT_S = 30.0
"""Seconds to wait until the processes that train have closed a session that is attached to when a round begins."""
POLL_INTERVAL_S = 0.1
"""Seconds between two looks at the lock."""
VANISHED_TIMEOUT_S = 3.0
"""Seconds without a training run after which it has ended: it may be about to record that the run is finished."""


class TrainingProcesses(Protocol):
    """Processes on this machine that train the session."""

    def is_running(self) -> bool:
        """Return whether all of them run."""

    def stop(self) -> None:
        """Let them save and end; kill those that do not."""

    def describe_end(self) -> str:
        """Return why they ended and how to continue, in one line."""


class AttachedSession(SessionProxy):
    """A session with a training run; `advance` watches it and opens the session when a round is ready.

    With `start_processes`, this object starts the training run whenever there is something to train, and `close` or the
    end of `advance` stops it. Without, the run goes on when the session is closed here.
    """

    _target: Session

    def __init__(
        self,
        directory: Path,
        start_processes: Callable[[], TrainingProcesses] | None = None,
        resume_options: str = "",
    ) -> None:
        """Read the session in a directory, and open it if it needs no training.

        `resume_options` are those of `vaetui resume` with which such processes are started again. Raises UserError as
        `lifecycle.resume_at`.
        """
        super().__init__(WatchedSession(directory))
        self._start_processes = start_processes
        self._resume_options = resume_options
        self._processes: TrainingProcesses | None = None
        if self.phase != "training":
            self._open()

    @property
    def access(self) -> SessionAccess:
        """Whether other processes train the session now, so that it cannot be changed here."""
        return "attached" if isinstance(self._target, WatchedSession) else "full"

    def advance(self) -> Generator[Event, None, None]:
        """Watch the training until a round needs answers or the run is finished; then load what answering needs.

        Closing the iterator stops the processes that were started here. Raises UserError if the processes ended before.
        """
        try:
            if isinstance(self._target, WatchedSession):
                yield from self._follow_run(self._target)
                while find_users(self.directory).is_held_by_run:  # it prepares the round, longer for more images
                    yield Progress("waiting for the processes that train", 0, 1)
                    time.sleep(POLL_INTERVAL_S)
                yield Loading("the session")
                self._open()
            yield from self._target.advance()
        except BaseException:
            self._stop_processes()
            raise

    def close_round(self) -> None:
        """End the round, and let the other processes train."""
        self._target.close_round()
        self._hand_over()

    def add_round(self) -> None:
        """Add a round to a finished run, and let other processes train, if there are any."""
        self._target.add_round()
        self._hand_over()

    def close(self) -> None:
        """Close the session, and stop the processes that were started here."""
        self._stop_processes()
        self._target.close()

    def describe_run(self) -> str:
        """Return what goes on when the session is closed here, as a sentence; "" if nothing does."""
        run = training_run.read_training_run(self.directory) if self._start_processes is None else None
        if run is None:
            return ""
        return f"Training continues in {run}." if self.phase == "training" else f"Answers are needed by {run}."

    @property
    def resume_options(self) -> str:
        """The options with which `vaetui resume` continues as here."""
        return self._resume_options

    def _hand_over(self) -> None:
        """Close the session for the processes that train it; without any, it is trained here."""
        if self._start_processes is None and training_run.read_training_run(self.directory) is None:
            return
        directory = self.directory
        self._target.close()
        self._target = WatchedSession(directory)

    def _follow_run(self, watched: WatchedSession) -> Generator[Event, None, None]:
        """Watch the session until it needs no training; raises UserError if the processes end before."""
        if self._start_processes is not None and (self._processes is None or not self._processes.is_running()):
            self._stop_processes()  # those that are left, which would hold the lock of the training run
            self._processes = self._start_processes()
        vanished_at_s: float | None = None
        for event in watched.advance():
            is_alive = self._is_run_alive()
            if isinstance(event, Watched) and is_alive and not event.is_training:
                is_starting = watched.users.training_run is None
                users = "starting the processes that train" if is_starting else event.users
                event = replace(event, users=users, is_training=True)
            yield event
            if not isinstance(event, Watched) or self.phase != "training":
                continue
            if is_alive:
                vanished_at_s = None
            elif vanished_at_s is None:
                vanished_at_s = time.monotonic()
            elif time.monotonic() - vanished_at_s >= VANISHED_TIMEOUT_S:
                raise UserError(self._describe_end())

    def _is_run_alive(self) -> bool:
        if self._processes is not None:
            return self._processes.is_running()
        return training_run.read_training_run(self.directory) is not None

    def _describe_end(self) -> str:
        if self._processes is not None:
            message = self._processes.describe_end()
            self._stop_processes()
            control_files.remove_control_files(self.directory)  # the user reads the message now
            return message
        advice = f"Continue with: vaetui resume {self.name}"
        if failure := control_files.read_failure(self.directory):
            control_files.remove_control_files(self.directory)
            return f"The processes that trained {self.name} have failed: {failure} {advice}"
        return f"The processes that trained {self.name} have ended; the last checkpoint is saved. {advice}"

    def _open(self) -> None:
        """Open the session for writing in place of watching it, once the processes that train it have closed it.

        The state that was watched is not closed here: the screen or a slow call may still read it.
        """
        directory, deadline_s = self.directory, time.monotonic() + RELEASE_TIMEOUT_S
        while find_users(directory).is_held_by_run and time.monotonic() < deadline_s:
            time.sleep(POLL_INTERVAL_S)
        self._target = lifecycle.resume_at(directory)

    def _stop_processes(self) -> None:
        processes, self._processes = self._processes, None
        if processes is not None:
            processes.stop()

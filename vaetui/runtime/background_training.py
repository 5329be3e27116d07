"""Train a session in the background until answers are needed, another process takes over, or a signal arrives."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from vaetui.engine.events import Loading
from vaetui.errors import UserError
from vaetui.signals import ShutdownRequested, ShutdownSignals
from vaetui.storage import control_files, file_names, lock
from vaetui.tui.presenters.event_text import EventFormatter

if TYPE_CHECKING:
    from vaetui.session.session import Session

DEFAULT_FAILURE_MESSAGE = (
    "it stopped without an error message, for example because it was killed or the machine restarted. "
    "resume continues from the last checkpoint."
)
"""Recorded when training starts, in case the process cannot record its own failure."""


def require_training(session: Session) -> None:
    """Raise UserError if there is nothing to train."""
    name = session.name
    if session.phase == "labelling":
        raise UserError(f"Session {name} needs answers before it can train. Answer with: vaetui resume {name}")
    if session.phase == "finished":
        raise UserError(describe_finished(name))


def describe_finished(name: str) -> str:
    """Return a message on a session whose run is finished."""
    return f"Session {name} is finished. View it with: vaetui resume {name}"


class BackgroundTraining:
    """Loads what training needs in the foreground, detaches from the terminal, and trains."""

    def __init__(self, session: Session, leave_terminal: Callable[[], None]) -> None:
        """Train `session`; call `leave_terminal` once everything is loaded."""
        self.session = session
        """The session that is trained."""
        self._leave_terminal = leave_terminal
        self._is_detached = False
        self._shutdown_signals = ShutdownSignals()
        self._event_formatter = EventFormatter(session.epoch_count, session.round_count)
        self._logger = logging.getLogger("vaetui")

    def run(self) -> int:
        """Train until answers are needed, the run is finished, another process asks for the session, or a signal.

        Return the number of the signal, or 0. Raises UserError if there is nothing to train. A failure after detaching
        is recorded for `show` and `resume`.
        """
        require_training(self.session)
        try:
            with suppress(ShutdownRequested), self._shutdown_signals:
                self._train()
            if self._is_detached:
                control_files.remove_control_files(self.session.directory)
        except Exception as error:
            if self._is_detached:
                log_file = file_names.log_path(self.session.directory)
                crash = f"unexpected error: {type(error).__name__}. Traceback: {log_file}"
                failure = str(error) if isinstance(error, UserError) else crash
                self._logger.error(failure)
                with suppress(UserError):  # A full disk may be the failure itself.
                    control_files.record_failure(self.session.directory, failure)
            raise
        return self._shutdown_signals.signal_number

    def _train(self) -> None:
        events = self.session.advance()
        for event in events:
            if self._is_stop_requested():
                getattr(events, "close", lambda: None)()  # Closing the generator saves the session.
                return
            # An import can take many seconds, so a signal may interrupt it at once.
            self._shutdown_signals.is_interruptible = isinstance(event, Loading)
            is_loaded = bool(self.session.device_name)
            if is_loaded and not (self._is_detached or self._shutdown_signals.is_interruptible):
                self._detach()
            if (line := self._event_formatter.format_event(event)) is not None:
                (self._logger.info if self._is_detached else click.echo)(line)
        self._logger.info("answers are needed" if self.session.phase == "labelling" else "the run is finished")

    def _is_stop_requested(self) -> bool:
        if signal_number := self._shutdown_signals.signal_number:
            self._logger.info("stopped by signal %d", signal_number)
        elif self._is_detached and control_files.is_release_requested(self.session.directory):
            self._logger.info("taken over by another process")
        else:
            return False
        return True

    def _detach(self) -> None:
        """Print how to follow and take over the training, and leave the terminal."""
        name, directory = self.session.name, self.session.directory
        lock.mark_detached(directory)
        control_files.record_failure(directory, DEFAULT_FAILURE_MESSAGE)
        with suppress(OSError):  # Training continues even if standard output is closed.
            click.echo(f'Training "{name}" in the background. Log: {file_names.log_path(directory)}')
            click.echo(f"Status: vaetui show {name}. Take over: vaetui resume {name}. Stop: vaetui stop {name}")
        self._leave_terminal()
        self._is_detached = self._shutdown_signals.ignores_hangup = True
        self._logger.info("training continues in the background")

"""A session is trained without a terminal until a person is needed; it does not know how a terminal is left."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from vaetui.engine.events import Event, Loading
from vaetui.errors import UserError
from vaetui.signals import ShutdownRequested, ShutdownSignals
from vaetui.storage import control_files, file_names, lock
from vaetui.tui.presenters.event_text import EventFormatter

if TYPE_CHECKING:
    from vaetui.session.session import Session

DEFAULT_FAILURE_MESSAGE = (
    "it ended without a word, as when it is killed or the machine restarts; resume goes on where it was saved."
)
"""What is kept from the beginning, for the case that nothing can be said in the end."""


class BackgroundTraining:
    """Loads what training needs before the person's eyes, leaves the terminal, and goes on."""

    def __init__(self, session: Session, leave_terminal: Callable[[], None]) -> None:
        """Train that session; `leave` leaves the terminal."""
        self.session = session
        """The one door to everything below."""
        self._leave_terminal = leave_terminal
        self._is_detached = False
        self._shutdown_signals = ShutdownSignals()
        self._event_formatter = EventFormatter(session.epochs, session.rounds)
        self._logger = logging.getLogger("vaetui")

    @property
    def signal_number(self) -> int:
        """Tell the signal that ended it; 0 for none."""
        return self._shutdown_signals.signal_number

    def run(self) -> None:
        """Train and cluster until answers are needed, the run is over, somebody else wants the session, or a signal.

        Raises Trouble where there is nothing to train. What goes wrong after the terminal was left is kept for
        whoever looks next.
        """
        name = self.session.name
        if self.session.phase == "labelling":
            raise UserError(f"The session {name} waits for answers, and for you to give them: vaetui resume {name}")
        if self.session.phase == "finished":
            raise UserError(
                f"The run of {name} is over, so there is nothing to train; see it with: vaetui resume {name}"
            )
        try:
            with suppress(ShutdownRequested), self._shutdown_signals:
                self._train()
            if self._is_detached:
                control_files.remove_control_files(self.session.directory)
        except Exception as error:
            if self._is_detached:
                bug = (
                    f"a bug ended it ({type(error).__name__}); {file_names.log_path(self.session.directory)} tells more"
                )
                self._record_failure(str(error) if isinstance(error, UserError) else bug)
            raise

    def _train(self) -> None:
        events = self.session.advance()
        for event in events:
            if self._is_stop_requested():
                getattr(events, "close", lambda: None)()  # which saves
                return
            self._shutdown_signals.is_interruptible = isinstance(
                event, Loading
            )  # an import may take longer than anybody waits
            if not (self._is_detached or self._shutdown_signals.is_interruptible):
                self._detach()
            self._report(event)
        self._logger.info("answers are needed" if self.session.phase == "labelling" else "the run is over")

    def _is_stop_requested(self) -> bool:
        """Tell whether to stop here."""
        if self.signal_number:
            self._logger.info("asked to leave by signal %d", self.signal_number)
        elif self._is_detached and control_files.is_release_requested(self.session.directory):
            self._logger.info("taken over by another process")
        else:
            return False
        return True

    def _detach(self) -> None:
        """Leave the terminal, with a word on how to come back."""
        name, directory = self.session.name, self.session.directory
        lock.mark_detached(directory)
        control_files.record_failure(directory, DEFAULT_FAILURE_MESSAGE)
        with suppress(OSError):  # whoever reads it may be gone, and training goes on all the same
            click.echo(
                f"{name} trains on without a terminal until it needs answers. Look at it with: vaetui show {name}"
            )
            click.echo(
                f"Take it over with: vaetui resume {name} (should it fail, {file_names.log_path(directory)} tells why)"
            )
        self._leave_terminal()
        self._is_detached = self._shutdown_signals.ignores_hangup = True
        self._logger.info("training goes on without a terminal")

    def _report(self, event: Event) -> None:
        line = self._event_formatter.format_event(event)
        if line is None:
            return
        if self._is_detached:
            self._logger.info(line)
        else:
            click.echo(line)

    def _record_failure(self, failure: str) -> None:
        self._logger.error(failure)
        with suppress(UserError):  # a full disk may be what went wrong
            control_files.record_failure(self.session.directory, failure)

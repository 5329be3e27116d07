"""A session is trained without a terminal until a person is needed; it does not know how a terminal is left."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from vaetui.engine.events import Event, Loading
from vaetui.errors import Trouble
from vaetui.signals import Farewells, Left
from vaetui.storage import control_files, file_names, lock
from vaetui.tui.presenters.event_text import Telling

if TYPE_CHECKING:
    from vaetui.session.session import Session

UNTOLD = "it ended without a word, as when it is killed or the machine restarts; resume goes on where it was saved."
"""What is kept from the beginning, for the case that nothing can be said in the end."""


class Detached:
    """Loads what training needs before the person's eyes, leaves the terminal, and goes on."""

    def __init__(self, session: Session, leave: Callable[[], None]) -> None:
        """Train that session; `leave` leaves the terminal."""
        self.session = session
        """The one door to everything below."""
        self._leave = leave
        self._away = False
        self._farewells = Farewells()
        self._telling = Telling(session.epochs, session.rounds)
        self._log = logging.getLogger("vaetui")

    @property
    def signal(self) -> int:
        """Tell the signal that ended it; 0 for none."""
        return self._farewells.number

    def run(self) -> None:
        """Train and cluster until answers are needed, the run is over, somebody else wants the session, or a signal.

        Raises Trouble where there is nothing to train. What goes wrong after the terminal was left is kept for
        whoever looks next.
        """
        name = self.session.name
        if self.session.phase == "labelling":
            raise Trouble(f"The session {name} waits for answers, and for you to give them: vaetui resume {name}")
        if self.session.phase == "finished":
            raise Trouble(f"The run of {name} is over, so there is nothing to train; see it with: vaetui resume {name}")
        try:
            with suppress(Left), self._farewells:
                self._train()
            if self._away:
                control_files.sweep(self.session.directory)
        except Exception as error:
            if self._away:
                bug = f"a bug ended it ({type(error).__name__}); {file_names.log(self.session.directory)} tells more"
                self._confess(str(error) if isinstance(error, Trouble) else bug)
            raise

    def _train(self) -> None:
        events = self.session.advance()
        for event in events:
            if self._unwanted():
                getattr(events, "close", lambda: None)()  # which saves
                return
            self._farewells.idle = isinstance(event, Loading)  # an import may take longer than anybody waits
            if not (self._away or self._farewells.idle):
                self._depart()
            self._tell(event)
        self._log.info("answers are needed" if self.session.phase == "labelling" else "the run is over")

    def _unwanted(self) -> bool:
        """Tell whether to stop here."""
        if self.signal:
            self._log.info("asked to leave by signal %d", self.signal)
        elif self._away and control_files.asked(self.session.directory):
            self._log.info("taken over by another process")
        else:
            return False
        return True

    def _depart(self) -> None:
        """Leave the terminal, with a word on how to come back."""
        name, directory = self.session.name, self.session.directory
        lock.detach(directory)
        control_files.confess(directory, UNTOLD)
        with suppress(OSError):  # whoever reads it may be gone, and training goes on all the same
            click.echo(
                f"{name} trains on without a terminal until it needs answers. Look at it with: vaetui show {name}"
            )
            click.echo(
                f"Take it over with: vaetui resume {name} (should it fail, {file_names.log(directory)} tells why)"
            )
        self._leave()
        self._away = self._farewells.deaf_to_hangups = True
        self._log.info("training goes on without a terminal")

    def _tell(self, event: Event) -> None:
        line = self._telling.line(event)
        if line is None:
            return
        if self._away:
            self._log.info(line)
        else:
            click.echo(line)

    def _confess(self, failure: str) -> None:
        self._log.error(failure)
        with suppress(Trouble):  # a full disk may be what went wrong
            control_files.confess(self.session.directory, failure)

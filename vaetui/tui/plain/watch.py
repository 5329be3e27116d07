"""Watch a session line by line: what another process trains and answers, without changing anything."""

from __future__ import annotations

import select
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from vaetui.engine.answers import Answer, ClusterPath, format_path
from vaetui.engine.events import Event, Loading, Watched
from vaetui.errors import UserError, format_count
from vaetui.session.views import RoundView
from vaetui.signals import ShutdownRequested, ShutdownSignals
from vaetui.tui.plain.texts import describe_progress
from vaetui.tui.presenters.cluster_text import describe_answer
from vaetui.tui.presenters.event_text import EventFormatter
from vaetui.tui.session_protocol import Session

LEAVE_COMMANDS = ("q", "leave")


class PlainWatch:
    """Prints the progress of a session that another process may train, until its run is finished or the user leaves."""

    def __init__(self, session: Session, input_stream: TextIO, write: Callable[[str], None]) -> None:
        """Watch a session whose `advance` yields `Watched`; `write` prints one line."""
        self.session = session
        """The session that is watched."""
        self._input_stream = input_stream
        self._write = write
        self._shutdown_signals = ShutdownSignals()
        self._formatter = EventFormatter(session.epoch_count, session.round_count)
        self._users = ""
        self._round_number = 0
        self._answers: dict[ClusterPath, Answer | None] = {}

    def run(self) -> int:
        """Print until the run is finished, the user types q, or a signal arrives; return its number, or 0."""
        with suppress(ShutdownRequested), self._shutdown_signals:
            for epoch in self.session.training_curves().finished_epochs[-1:]:
                self._print_event(epoch)
            while True:  # one turn for each phase
                for event in self.session.advance():
                    self._shutdown_signals.is_interruptible = False
                    self._print_event(event)
                    if self._shutdown_signals.signal_number or self._is_leaving():
                        raise ShutdownRequested
                    self._shutdown_signals.is_interruptible = True  # nothing is saved here
        return self._shutdown_signals.signal_number

    def _print_event(self, event: Event) -> None:
        if isinstance(event, Watched):
            self._print_state(event)
        elif not isinstance(event, Loading) and (line := self._formatter.format_event(event)) is not None:
            self._print_line(line)

    def _print_state(self, event: Watched) -> None:
        """Print who uses the session and which answers were recorded, as far as that is new."""
        if event.users != self._users:
            self._users = event.users
            self._print_line(f"{event.users[:1].upper()}{event.users[1:]}")
        if self.session.phase == "finished":
            self._print_line("The session is finished.")
            raise ShutdownRequested
        if self.session.phase == "labelling":
            with suppress(UserError):  # the round may be over
                self._print_round(self.session.round_view())

    def _print_round(self, round_view: RoundView) -> None:
        answers = {cluster.path: cluster.answer for cluster in round_view.clusters}
        if round_view.round_number != self._round_number:
            self._round_number, self._answers = round_view.round_number, answers
            count = format_count(round_view.answer_count, "answer")
            progress = describe_progress(round_view)
            self._print_line(f"Round {round_view.round_number} of {round_view.round_count}: {progress}, {count} in all")
            return
        for path, answer in answers.items():
            if answer != self._answers.get(path):
                text = "no answer" if answer is None else describe_answer(answer, self.session.classes)
                self._print_line(f"cluster {format_path(path)} = {text}. {describe_progress(round_view)}")
        self._answers = answers

    def _is_leaving(self) -> bool:
        """Return whether the user has typed q; the end of the input is no reason to leave."""
        try:
            while select.select([self._input_stream], [], [], 0)[0]:
                line = self._input_stream.readline()
                if line.strip() in LEAVE_COMMANDS:
                    return True
                if not line:
                    return False
        except (OSError, ValueError):  # the input is closed, or is no file
            pass
        return False

    def _print_line(self, line: str) -> None:
        """Print a line; raise ShutdownRequested if the output is closed."""
        try:
            self._write(line)
        except OSError:
            raise ShutdownRequested from None

"""The session as a dialogue line by line, for screen readers, dumb terminals, logs and pipes; it moves no cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TextIO

from vaetui.engine.answers import ClassAnswer, ClusterPath, Split, Unreadable, format_path
from vaetui.engine.classes import AddClass, MergeClass, RenameClass
from vaetui.engine.clusters import Pixels
from vaetui.engine.events import Event, Loading
from vaetui.errors import UserError
from vaetui.signals import ShutdownRequested, ShutdownSignals
from vaetui.tui.plain.commands import COMMAND_HELP, Command, SelectCluster, parse_command
from vaetui.tui.presenters.cluster_text import (
    format_answer,
    format_cluster_name,
    format_cluster_size,
    format_digit_keys,
    format_round_progress,
    format_saved_answer,
    format_votes,
)
from vaetui.tui.presenters.event_text import EventFormatter
from vaetui.tui.presenters.focus import find_unanswered
from vaetui.tui.presenters.labelling import LabellingPresenter
from vaetui.tui.presenters.round_gain import describe_round_gain
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.half_blocks import fit_image, to_ascii_lines

PICTURE_CELLS = (28, 14)
"""Columns and lines of a picture."""
MAX_MEMBERS = 4
"""Members that are shown at once."""
MAX_LINE_CHARS = 250
"""Characters of a line that are read: no order is as long, and a file that is none has no end."""


class PlainDialogue:
    """Tells a session in lines, and takes answers as lines."""

    def __init__(self, session: Session, input_stream: TextIO, write: Callable[[str], None]) -> None:
        """Lead the dialogue over that session; lines come from `typed`, and its end means to leave."""
        self.session = session
        """The one door to everything below."""
        self._input_stream = input_stream
        self._write = write
        self._shutdown_signals = ShutdownSignals()

    @property
    def signal_number(self) -> int:
        """Tell the signal that ended the dialogue; 0 for none."""
        return self._shutdown_signals.signal_number

    def run(self) -> None:
        """Train and ask until the run is over or the person leaves; everything is saved at any moment."""
        with suppress(ShutdownRequested), self._shutdown_signals:
            while True:
                self._print_events(self.session.advance())
                if self.session.phase == "finished":
                    self._print_line("The run is over.")
                    return
                self._run_round()

    # Slow work.

    def _print_events(self, events: Iterator[Event]) -> None:
        """Tell what a slow verb reports; a signal ends it at its next event."""
        telling = EventFormatter(self.session.epochs, self.session.rounds)
        for event in events:
            line = telling.format_event(event)
            if line is not None:
                self._print_line(line)
            if self.signal_number:
                getattr(events, "close", lambda: None)()
                raise ShutdownRequested
            self._shutdown_signals.is_interruptible = isinstance(
                event, Loading
            )  # an import may take longer than anybody waits
        self._shutdown_signals.is_interruptible = False

    # Questions.

    def _run_round(self) -> None:
        """Ask the round until it is over."""
        self._presenter, sure = LabellingPresenter(self.session), False
        for words in (
            describe_round_gain(self.session.training_curves().finished_epochs),
            format_digit_keys(self.session.classes, range(len(self.session.classes))),
        ):
            if words:
                self._print_line(words)
        if self._presenter.focus.unanswered_count:
            self._show_cluster(self._presenter.focused_cluster.path)
        else:
            self._show_next_unanswered()
        while self.session.phase == "labelling":
            try:
                order = parse_command(self._read_line(), self.session.config.cluster.split_parts, self.session.classes)
                if order == "go" and not sure and (left := self._presenter.focus.unanswered_count):
                    one = left == 1
                    which = "1 centre has no answer" if one else f"{left} centres have no answer"
                    self._print_line(f"{which}; g again goes on without {'it' if one else 'them'}")
                    sure = True
                    continue
                sure = False
                self._execute(order)
            except UserError as trouble:
                self._print_line(str(trouble))

    def _execute(self, command: Command) -> None:
        match command:
            case ClassAnswer() | Unreadable():
                path = self._presenter.focused_cluster.path
                self.session.answer(path, command)
                self._presenter.refresh(path)
                self._print_line(format_saved_answer(self._presenter.focused_cluster, self.session.classes))
                self._show_next_unanswered()
            case Split(parts):
                path = self._presenter.focused_cluster.path
                self._print_events(self.session.split(path, parts))
                self._show_cluster((*path, 0))
            case AddClass() | RenameClass() | MergeClass():
                self._presenter.edit_classes(command)
                self._print_line(self._presenter.status_text)
            case SelectCluster(path):
                self._select_cluster(path)
            case str():
                {
                    "next": self._show_next_unanswered,
                    "undo": lambda: self._report_undo(
                        self.session.undo(), "undo", self._presenter.round_view.undo_description
                    ),
                    "redo": lambda: self._report_undo(
                        self.session.redo(), "redo", self._presenter.round_view.redo_description
                    ),
                    "members": self._print_members,
                    "list": self._print_clusters,
                    "classes": self._print_classes,
                    "go": self.session.finish_round,
                    "help": self._print_help,
                    "leave": self._leave,
                }[command]()

    def _report_undo(self, path: ClusterPath | None, command: str, description: str | None) -> None:
        if path is None:
            self._print_line(f"nothing to {command}")
        else:
            self._print_line(f"{command}: {f'centre {format_path(path)}' if path else description}")
            self._show_cluster(path or self._presenter.focused_cluster.path)

    def _print_members(self) -> None:
        tile = self._presenter.focused_cluster
        pictures = self.session.members(tile.path, "nearest", MAX_MEMBERS)
        self._print_line(f"{len(pictures)} nearest members of centre {format_cluster_name(tile)}")
        for picture in pictures:
            self._print_picture(picture)

    def _print_clusters(self) -> None:
        for tile in self._presenter.round_view.clusters:
            self._print_line(
                f"{'  ' * len(tile.path)}centre {format_cluster_name(tile)}: {format_answer(tile)}, {format_cluster_size(tile)}"
            )

    def _print_classes(self) -> None:
        known, tally = self.session.classes, self.session.answer_counts()
        for label, name in enumerate(known.names):
            answers = "1 answer" if tally[label] == 1 else f"{tally[label]:,} answers"
            counts = answers if label in known.active else f"counts as {known.resolved_names[label]}"
            self._print_line(f"  class {label}: {name}, {counts}")

    def _print_help(self) -> None:
        wide = max(len(typed) for typed, _ in COMMAND_HELP) + 2
        for typed, does in COMMAND_HELP:
            self._print_line(f"  {typed:<{wide}}{does}")

    def _leave(self) -> None:
        raise ShutdownRequested

    def _show_next_unanswered(self) -> None:
        """Look at the next centre without an answer, after this one and then from the beginning."""
        desk = self._presenter
        at = find_unanswered(desk.round_view.clusters, desk.focus_index)
        if at is None:
            self._print_line(f"{format_round_progress(desk.round_view)}: g goes on training")
        else:
            self._show_cluster(desk.round_view.clusters[at].path)

    def _select_cluster(self, path: ClusterPath) -> None:
        """Show a centre that somebody named."""
        if path not in [tile.path for tile in self._presenter.round_view.clusters]:
            raise UserError(f"There is no centre {format_path(path)} in this round; l lists them.")
        self._show_cluster(path)

    def _show_cluster(self, path: ClusterPath) -> None:
        """Read the round again, show a centre of it and ask for it."""
        self._presenter.refresh(path)
        tile = self._presenter.focused_cluster
        self._print_line("")
        self._print_line(format_round_progress(self._presenter.round_view))
        self._print_line(
            f"centre {format_cluster_name(tile)}: {format_cluster_size(tile)}, answer {format_answer(tile)}"
        )
        self._print_line(format_votes(tile, self.session.classes))
        self._print_picture(tile.picture)
        self._print_line(f"centre {format_cluster_name(tile)}: class? (? helps)")

    def _print_picture(self, picture: Pixels) -> None:
        for line in to_ascii_lines(fit_image(picture, PICTURE_CELLS[0], 2 * PICTURE_CELLS[1])):
            self._print_line(line.rstrip())

    def _read_line(self) -> str:
        """Wait for a line; the end of them, and a signal meanwhile, leave.

        A last line without an end may have been cut short where the pipe broke: it is not taken.
        """
        self._shutdown_signals.is_interruptible = True
        line = more = self._input_stream.readline(MAX_LINE_CHARS)
        while more and not more.endswith("\n"):
            more = self._input_stream.readline(MAX_LINE_CHARS)
        self._shutdown_signals.is_interruptible = False
        if not more:
            if line:
                self._print_line(f"{line!r} was not taken: a line that is meant ends with Enter")
            raise ShutdownRequested
        return line.rstrip("\n") if more is line else f"{line}…"

    def _print_line(self, line: str) -> None:
        """Say a line; where nobody hears it any more, leave."""
        try:
            self._write(line)
        except OSError:
            raise ShutdownRequested from None

"""Run a session as a line-by-line dialogue, for screen readers, dumb terminals, logs and pipes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TextIO

from vaetui.engine.answers import ClassAnswer, ClusterPath, Split, Unreadable, format_path
from vaetui.engine.classes import MAX_CLASS_NAME_CHARS, AddClass, MergeClass, RenameClass
from vaetui.engine.clusters import Pixels
from vaetui.engine.events import Event, Loading
from vaetui.errors import UserError
from vaetui.session.views import ClusterView
from vaetui.signals import ShutdownRequested, ShutdownSignals
from vaetui.tui.plain.commands import COMMAND_HELP, Command, SelectCluster, parse_command
from vaetui.tui.presenters.cluster_text import (
    format_answer,
    format_answer_confirmation,
    format_class_digit,
    format_class_shares,
    format_cluster_name,
    format_cluster_size,
    format_key_line,
    format_round_progress,
)
from vaetui.tui.presenters.event_text import EventFormatter
from vaetui.tui.presenters.focus_moves import find_next_unanswered
from vaetui.tui.presenters.labelling_presenter import LabellingPresenter
from vaetui.tui.presenters.prediction_changes import describe_prediction_changes
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.text_images import fit_image, to_ascii_lines

MAX_MEMBERS = 4
"""Number of members printed by one command."""
MAX_LINE_CHARS = 250
"""Characters read of a line: no command is as long, and a binary file on the input may contain no line end."""


class PlainDialogue:
    """Prints the progress of a session as lines, and reads answers as lines."""

    def __init__(self, session: Session, input_stream: TextIO, write: Callable[[str], None]) -> None:
        """Read commands from `input_stream` until it ends; `write` prints one line."""
        self.session = session
        """The session that is trained and labelled."""
        self._input_stream = input_stream
        self._write = write
        self._shutdown_signals = ShutdownSignals()

    def run(self) -> int:
        """Train and ask for labels until the session is finished, the user quits, or a signal arrives.

        The session stores every answer before the dialogue confirms it. Return the number of the signal, or 0.
        """
        with suppress(ShutdownRequested), self._shutdown_signals:
            self._print_events(self.session.advance())
            while self.session.phase != "finished":
                self._label_round()
                self._print_events(self.session.advance())
            self._print_line("The session is finished.")
        return self._shutdown_signals.signal_number

    def _print_events(self, events: Iterator[Event]) -> None:
        """Print the events of a slow operation; stop it at its next event after a signal."""
        formatter = EventFormatter(self.session.epoch_count, self.session.round_count)
        for event in events:
            if (line := formatter.format_event(event)) is not None:
                self._print_line(line)
            if self._shutdown_signals.signal_number:
                getattr(events, "close", lambda: None)()
                raise ShutdownRequested
            # The import of PyTorch takes seconds and has nothing to save: a signal interrupts it.
            self._shutdown_signals.is_interruptible = isinstance(event, Loading)
        self._shutdown_signals.is_interruptible = False

    def _label_round(self) -> None:
        self._presenter = LabellingPresenter(self.session)
        if changes := describe_prediction_changes(self.session.training_curves().finished_epochs):
            self._print_line(changes)
        self._print_digit_keys()
        if self._presenter.focused_info.unanswered_count:
            self._show_cluster(self._presenter.focused_cluster.path)
        else:
            self._show_next_unanswered()
        is_confirmed = False
        while self.session.phase == "labelling":
            try:
                command = parse_command(
                    self._read_line(),
                    self.session.config.cluster.split_parts,
                    self.session.classes,
                    self._presenter.round_view.digit_keys,
                )
                if command == "go" and not is_confirmed and (count := self._presenter.focused_info.unanswered_count):
                    clusters = "1 cluster has" if count == 1 else f"{count} clusters have"
                    self._print_line(f"{clusters} no answer. g again: train anyway")
                    is_confirmed = True
                    continue
                is_confirmed = False
                self._execute_command(command)
            except UserError as error:
                self._print_line(str(error))

    def _execute_command(self, command: Command) -> None:
        match command:
            case ClassAnswer() | Unreadable():
                path = self._presenter.focused_cluster.path
                self.session.record_answer(path, command)
                self._presenter.refresh_round(path)
                self._print_line(format_answer_confirmation(self._presenter.focused_cluster, self.session.classes))
                self._show_next_unanswered()
            case Split(parts):
                path = self._presenter.focused_cluster.path
                self._print_events(self.session.split_cluster(path, parts))
                self._show_cluster((*path, 0))
            case AddClass() | RenameClass() | MergeClass():
                is_changed = self._presenter.edit_classes(command)
                self._print_line(self._presenter.status_text)
                if is_changed:
                    self._print_digit_keys()
            case SelectCluster(path):
                if path not in [cluster.path for cluster in self._presenter.round_view.clusters]:
                    raise UserError(f"This round has no cluster {format_path(path)}. l lists all clusters.")
                self._show_cluster(path)
            case "leave":
                raise ShutdownRequested
            case str():
                {
                    "next": self._show_next_unanswered,
                    "undo": self._undo,
                    "redo": self._redo,
                    "members": self._print_members,
                    "list": self._print_clusters,
                    "classes": self._print_classes,
                    "go": self.session.close_round,
                    "help": self._print_help,
                }[command]()

    def _undo(self) -> None:
        description = self._presenter.round_view.undo_description
        path = self.session.undo()
        self._show_changed_cluster(path, "Nothing to undo" if path is None else f"Undid: {description}")

    def _redo(self) -> None:
        description = self._presenter.round_view.redo_description
        path = self.session.redo()
        self._show_changed_cluster(path, "Nothing to redo" if path is None else f"Redid: {description}")

    def _show_changed_cluster(self, path: ClusterPath | None, message: str) -> None:
        """Print a message and show the cluster; the path is empty after a class edit, None if nothing changed."""
        self._print_line(message)
        if path is not None:
            self._presenter.refresh_round(path or self._presenter.focused_cluster.path)
            if not path:
                self._print_digit_keys()
            self._show_cluster(self._presenter.focused_cluster.path)

    def _print_members(self) -> None:
        cluster = self._presenter.focused_cluster
        pictures = self.session.member_images(cluster.path, "nearest", MAX_MEMBERS)
        self._print_line(f"Nearest members of cluster {format_cluster_name(cluster)}: {len(pictures)}")
        for picture in pictures:
            self._print_picture(picture)

    def _print_clusters(self) -> None:
        for cluster in self._presenter.round_view.clusters:
            name, indent = format_cluster_name(cluster), "  " * len(cluster.path)
            self._print_line(f"{indent}cluster {name}: {self._format_answer(cluster)}, {format_cluster_size(cluster)}")

    def _print_classes(self) -> None:
        classes, answer_counts = self.session.classes, self.session.answer_counts()
        round_view = self._presenter.round_view
        for class_id, name in enumerate(classes.names):
            digit = format_class_digit(round_view, class_id)
            key = f"digit {digit}" if digit else "no digit"
            if class_id in classes.active_ids:
                count = answer_counts[class_id]
                state = "1 answer" if count == 1 else f"{count:,} answers"
            else:
                key, state = "no digit", f"merged into {classes.resolved_names[class_id]}"
            self._print_line(f"  {key}: {name}, {state}")

    def _print_digit_keys(self) -> None:
        self._print_line(format_key_line(self.session.classes, self._presenter.round_view.digit_keys))

    def _print_help(self) -> None:
        width = max(len(command) for command, _ in COMMAND_HELP) + 2
        for command, effect in COMMAND_HELP:
            self._print_line(f"  {command:<{width}}{effect}")

    def _show_next_unanswered(self) -> None:
        """Show the next cluster without an answer, wrapping around at the end."""
        round_view = self._presenter.round_view
        index = find_next_unanswered(round_view.clusters, self._presenter.focus_index)
        if index is None:
            self._print_line(f"{format_round_progress(round_view)}  g: continue training")
        else:
            self._show_cluster(round_view.clusters[index].path)

    def _show_cluster(self, path: ClusterPath) -> None:
        """Refresh the round, print a cluster and ask for its class."""
        self._presenter.refresh_round(path)
        cluster = self._presenter.focused_cluster
        name = format_cluster_name(cluster)
        self._print_line("")
        self._print_line(format_round_progress(self._presenter.round_view))
        self._print_line(f"Cluster {name}: {format_cluster_size(cluster)}, answer {self._format_answer(cluster)}")
        self._print_line(format_class_shares(cluster, self.session.classes))
        self._print_picture(cluster.picture)
        self._print_line(f"Cluster {name}: class? (?: help)")

    def _format_answer(self, cluster: ClusterView) -> str:
        return format_answer(cluster, self.session.classes, MAX_CLASS_NAME_CHARS * 2)

    def _print_picture(self, picture: Pixels) -> None:
        for line in to_ascii_lines(fit_image(picture, 28, 28)):  # at most 28 columns and 14 lines of two pixels
            self._print_line(line.rstrip())

    def _read_line(self) -> str:
        """Return the next line; raise ShutdownRequested at the end of the input or after a signal.

        A last line without a line end is ignored: a broken pipe may have cut it short.
        """
        self._shutdown_signals.is_interruptible = True
        line = chunk = self._input_stream.readline(MAX_LINE_CHARS)
        while chunk and not chunk.endswith("\n"):
            chunk = self._input_stream.readline(MAX_LINE_CHARS)
        self._shutdown_signals.is_interruptible = False
        if not chunk:
            if line:
                self._print_line(f"Ignored {line!r}: the input ended before Enter.")
            raise ShutdownRequested
        return line.rstrip("\n") if chunk is line else f"{line}…"

    def _print_line(self, line: str) -> None:
        """Print a line; raise ShutdownRequested if the output is closed."""
        try:
            self._write(line)
        except OSError:
            raise ShutdownRequested from None

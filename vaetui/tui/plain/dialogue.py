"""Run a session as a line-by-line dialogue, for screen readers, dumb terminals, logs and pipes."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from vaetui.engine.answers import (
    ClassAnswer,
    Cleared,
    ClusterAnswer,
    ClusterPath,
    NearestImageAnswer,
    Split,
    Unreadable,
    find_answer_class,
    format_path,
)
from vaetui.engine.classes import AddClass, MergeClass, RenameClass
from vaetui.engine.clusters import Pixels
from vaetui.engine.events import Clustered, Event, HistoryEntry, HistoryLoaded, LabelsExported, Loading
from vaetui.errors import UserError, format_count
from vaetui.session.feature_advice import advise_features
from vaetui.session.views import SURE_SHARE, ClusterView, RoundView
from vaetui.signals import ShutdownRequested, ShutdownSignals
from vaetui.storage.output_files import OutputExistsError
from vaetui.tui.plain.audit_dialogue import PlainAudit
from vaetui.tui.plain.commands import (
    COMMAND_HELP,
    Command,
    CorrectAnswer,
    Export,
    ListClusters,
    ListHistory,
    SelectCluster,
    parse_command,
)
from vaetui.tui.plain.review_dialogue import PlainReview
from vaetui.tui.plain.texts import (
    describe_history_entry,
    describe_predictions,
    describe_progress,
    describe_similar_cluster,
    format_class_question,
)
from vaetui.tui.presenters.audit_text import AUDIT_TOO_EARLY_MESSAGE
from vaetui.tui.presenters.cluster_order import SortOrder, is_open, sort_clusters
from vaetui.tui.presenters.cluster_text import (
    NEAREST_IMAGE_HEADING,
    describe_answer,
    describe_class_edit,
    describe_cluster,
    format_answer_confirmation,
    format_class_digit,
    format_cluster_name,
    format_key_line,
    format_mean_heading,
    format_open_clusters,
    format_share,
    shows_nearest_images,
)
from vaetui.tui.presenters.event_text import EventFormatter
from vaetui.tui.presenters.focus_moves import find_cluster_or_ancestor, find_next_unanswered
from vaetui.tui.presenters.label_facts import collect_label_facts
from vaetui.tui.presenters.review_draft import ReviewDraft
from vaetui.tui.presenters.review_text import REVIEW_TOO_EARLY_MESSAGE
from vaetui.tui.session_protocol import Session
from vaetui.tui.widgets.text_images import fit_image, to_ascii_lines

MAX_MEMBERS = 4
"""Number of members printed by one command."""
MAX_NAMES_CELLS = 200
"""Columns of the names of the classes without an answer: a screen reader reads all of them."""
MAX_LINE_CHARS = 250
"""Characters read of a line: no command is as long, and a binary file on the input may contain no line end."""
MAX_PATH_CHARS = 4096
"""Characters read of a line that exports: the longest path of most systems."""
FACT_COMMANDS = {
    **{"label.audit": "v", "label.review": "w"},
    **{"summary.audit": "vaetui audit {}", "summary.review": "vaetui resume {}"},
}
"""The commands that the sentences about the labels name; those of the shell, with the session, after the last round."""
CONFIRMED_COMMANDS = ("go", "accept all")
"""Commands that ask first; typed again, they act."""


class PlainDialogue:
    """Prints the progress of a session as lines, and reads answers as lines."""

    def __init__(
        self, session: Session, input_stream: TextIO, write: Callable[[str], None], shows_pictures: bool = True
    ) -> None:
        """Read commands from `input_stream` until it ends; `write` prints one line."""
        self.session = session
        """The session that is trained and labelled."""
        self._input_stream = input_stream
        self._write = write
        self._shows_pictures = shows_pictures
        self._review_draft = ReviewDraft()
        self._shutdown_signals = ShutdownSignals()
        self._confirmed_command: str | None = None
        self._round_view: RoundView
        self._focus_index = -1

    def run(self) -> int:
        """Train and ask for labels until the session is finished, the user quits, or a signal arrives.

        The session stores every answer before the dialogue confirms it. Return the number of the signal, or 0.
        """
        with suppress(ShutdownRequested), self._shutdown_signals:
            self._print_events(self.session.advance())
            while self.session.phase != "finished":
                self._label_round()
                self._print_events(self.session.advance())
            self._print_label_facts(self.session.summary().unanswered_class_ids, is_round_open=False)
            self._print_line("The session is finished.")
        return self._shutdown_signals.signal_number

    def run_audit(self, plan: str = "") -> int:
        """Audit the labels, with this plan or the one that is typed; nothing is trained.

        Every check is stored before it is confirmed. Return the number of the signal that ended the audit, or 0.
        """
        with suppress(ShutdownRequested), self._shutdown_signals:
            self._print_events(self.session.advance())
            self._run_audit(plan)
        return self._shutdown_signals.signal_number

    def _run_audit(self, plan: str = "") -> None:
        audit = PlainAudit(self.session, self._read_line, self._print_line, self._print_events, self._shows_pictures)
        audit.run(plan)
        self._shows_pictures = audit.shows_pictures

    def _audit_round(self) -> None:
        """Audit the labels, and go on with the round."""
        if self._round_view.round_number < 2 and self.session.audits.view is None:
            raise UserError(AUDIT_TOO_EARLY_MESSAGE)
        self._run_audit()
        self._show_cluster(self._focused_cluster.path)

    def _review_round(self) -> None:
        """Review labels of single images, and go on with the round."""
        if self._round_view.round_number < 2:
            raise UserError(REVIEW_TOO_EARLY_MESSAGE)
        review = PlainReview(
            self.session,
            self._review_draft,
            self._read_line,
            self._print_line,
            self._print_events,
            self._shows_pictures,
        )
        review.run()
        self._shows_pictures = review.shows_pictures
        self._show_cluster(self._focused_cluster.path)

    def _print_events(self, events: Iterator[Event]) -> Event | None:
        """Print the events of a slow operation, and return the last one; stop it at its next event after a signal."""
        formatter = EventFormatter(self.session.epoch_count, self.session.round_count)
        event: Event | None = None
        for event in events:
            # The first line about a round says the same and more.
            if not isinstance(event, Clustered) and (line := formatter.format_event(event)) is not None:
                self._print_line(line)
            if self._shutdown_signals.signal_number:
                getattr(events, "close", lambda: None)()
                raise ShutdownRequested
            # The import of PyTorch takes seconds and has nothing to save: a signal interrupts it.
            self._shutdown_signals.is_interruptible = isinstance(event, Loading)
        self._shutdown_signals.is_interruptible = False
        return event

    def _label_round(self) -> None:
        self._round_view, self._focus_index = self.session.round_view(), -1
        self._print_round()
        self._show_next_unanswered()
        while self.session.phase == "labelling":
            try:
                command = parse_command(
                    self._read_line(),
                    self.session.config.cluster.split_parts,
                    self.session.classes,
                    self._round_view.digit_keys,
                )
                if not self._needs_confirmation(command):
                    self._execute_command(command)
            except UserError as error:
                self._confirmed_command = None
                self._print_line(str(error))

    @property
    def _focused_cluster(self) -> ClusterView:
        return self._round_view.clusters[max(self._focus_index, 0)]

    def _refresh_round(self, path: ClusterPath) -> None:
        """Read the round again, and focus the cluster at `path` or its nearest ancestor."""
        self._round_view = self.session.round_view()
        self._focus_index = find_cluster_or_ancestor(self._round_view.clusters, path)

    def _print_round(self) -> None:
        """Print where the run is and what has no answer yet, once at the beginning of a round."""
        round_view = self._round_view
        progress, answers = describe_progress(round_view), format_count(round_view.answer_count, "answer")
        self._print_line(f"Round {round_view.round_number} of {round_view.round_count}: {progress}, {answers} in all")
        unanswered_class_ids = round_view.unanswered_class_ids if round_view.answer_count else ()
        self._print_label_facts(unanswered_class_ids, is_round_open=True)
        self._print_digit_keys()

    def _print_label_facts(self, unanswered_class_ids: Sequence[int], *, is_round_open: bool) -> None:
        """Print the facts about the labels, one sentence in each line."""
        facts = collect_label_facts(
            self.session,
            unanswered_class_ids,
            lambda binding_id: FACT_COMMANDS[binding_id].format(shlex.quote(self.session.name)),
            is_round_open=is_round_open,
            max_name_cells=MAX_NAMES_CELLS,
        )
        for sentence in facts.list_sentences():
            self._print_line(sentence)

    def _needs_confirmation(self, command: Command) -> bool:
        """Ask before a command with a large effect, and return True; return False when it is typed again."""
        previous_command, self._confirmed_command = self._confirmed_command, None
        if command not in CONFIRMED_COMMANDS or command == previous_command:
            return False
        if command == "go":
            count = self._round_view.leaf_count - self._round_view.answered_leaf_count
            question = f"{format_open_clusters(count)}. g again: train anyway" if count else ""
        else:
            guesses = self._round_view.sure_answers
            names = ", ".join(
                f"{format_cluster_name(cluster)} = {describe_answer(answer, self.session.classes)}"
                for cluster, answer in guesses
            )
            question = f"Accept {format_count(len(guesses), 'prediction')}? {names}. Y again: accept" if guesses else ""
        if question:
            self._print_line(question)
            self._confirmed_command = command
        return bool(question)

    def _execute_command(self, command: Command) -> None:
        match command:
            case ClassAnswer() | NearestImageAnswer() | Unreadable() | Cleared():
                self._record_answer(command)
            case Split(parts):
                path = self._focused_cluster.path
                self._print_events(self.session.split_cluster(path, parts))
                self._show_cluster((*path, 0))
            case AddClass() | RenameClass() | MergeClass():
                previous_classes = self.session.classes
                self.session.edit_classes(command)
                self._refresh_round(self._focused_cluster.path)
                self._print_line(describe_class_edit(command, previous_classes, self._round_view))
                self._print_digit_keys()
            case SelectCluster() | ListClusters() | ListHistory() | CorrectAnswer() | Export():
                self._execute_longer_command(command)
            case "leave":
                raise ShutdownRequested
            case str():
                {
                    "next": self._show_next_unanswered,
                    "accept": self._accept_guess,
                    "accept all": self._accept_sure_guesses,
                    "undo": self._undo,
                    "redo": self._redo,
                    "members": self._print_members,
                    "pictures": self._switch_pictures,
                    "classes": self._print_classes,
                    "audit": self._audit_round,
                    "review": self._review_round,
                    "go": self._close_round,
                    "help": self._print_help,
                }[command]()

    def _execute_longer_command(
        self, command: SelectCluster | ListClusters | ListHistory | CorrectAnswer | Export
    ) -> None:
        match command:
            case SelectCluster(path):
                if path not in [cluster.path for cluster in self._round_view.clusters]:
                    raise UserError(f"This round has no cluster {format_path(path)}. l lists all clusters.")
                self._show_cluster(path)
            case ListClusters(order, is_open_only):
                self._print_clusters(order, is_open_only)
            case ListHistory(class_id):
                self._print_history(class_id)
            case CorrectAnswer():
                self._correct_answer(command)
            case Export(path):
                self._export(Path(path).expanduser())

    def _close_round(self) -> None:
        """End the round, with advice if most clusters of the first round mixed classes."""
        if (advice := advise_features(self._round_view, self.session.has_features)) is not None:
            self._print_line(advice)
        self.session.close_round()

    def _record_answer(self, answer: ClusterAnswer) -> None:
        cluster = self._focused_cluster
        if isinstance(answer, Cleared) and cluster.answer is None:
            raise UserError(f"Cluster {format_cluster_name(cluster)} has no answer yet.")
        self.session.record_answer(cluster.path, answer)
        self._refresh_round(cluster.path)
        if isinstance(answer, Cleared):
            self._print_line(f"Saved: cluster {format_cluster_name(cluster)} has no answer again")
            self._show_cluster(cluster.path)
        else:
            self._print_line(format_answer_confirmation(self._focused_cluster, self.session.classes))
            self._show_next_unanswered()

    def _accept_guess(self) -> None:
        cluster = self._focused_cluster
        if cluster.guess is None:
            raise UserError(f"There is no prediction for cluster {format_cluster_name(cluster)} yet. Type its class.")
        self._record_answer(ClassAnswer(cluster.guess[0]))

    def _accept_sure_guesses(self) -> None:
        guesses = self._round_view.sure_answers
        if not guesses:
            raise UserError(f"No open cluster has a prediction above {format_share(SURE_SHARE)}.")
        self.session.record_answers([(cluster.path, answer) for cluster, answer in guesses])
        paths = [cluster.path for cluster, _ in guesses]
        self._refresh_round(paths[-1])
        for cluster in self._round_view.clusters:
            if cluster.path in paths:
                self._print_line(format_answer_confirmation(cluster, self.session.classes))
        self._show_next_unanswered()

    def _undo(self) -> None:
        description = self._round_view.undo_description
        path = self.session.undo()
        self._show_changed_cluster(path, "Nothing to undo" if path is None else f"Undid: {description}")

    def _redo(self) -> None:
        description = self._round_view.redo_description
        path = self.session.redo()
        self._show_changed_cluster(path, "Nothing to redo" if path is None else f"Redid: {description}")

    def _show_changed_cluster(self, path: ClusterPath | None, message: str) -> None:
        """Print a message and show the cluster; the path is empty after a class edit, None if nothing changed."""
        self._print_line(message)
        if path is not None:
            self._refresh_round(path or self._focused_cluster.path)
            if not path:
                self._print_digit_keys()
            self._show_cluster(self._focused_cluster.path)

    def _print_members(self) -> None:
        if not self._shows_pictures:
            raise UserError("Pictures are left out. i: draw them")
        cluster = self._focused_cluster
        pictures = self.session.member_images(cluster.path, "nearest", MAX_MEMBERS)
        name = format_cluster_name(cluster)
        if cluster.mean_picture is not None:
            self._print_line(f"Cluster {name}, {format_mean_heading(cluster.size)}:")
            self._print_picture(cluster.mean_picture)
            self._print_line("")
        self._print_line(f"Nearest members of cluster {name}: {len(pictures)}")
        for picture in pictures:
            self._print_picture(picture)
            self._print_line("")

    def _switch_pictures(self) -> None:
        self._shows_pictures = not self._shows_pictures
        if self._shows_pictures:
            self._print_picture(self._focused_cluster.picture)
        else:
            self._print_line("Pictures are left out from now on. i: draw them")

    def _print_clusters(self, order: SortOrder, is_open_only: bool) -> None:
        clusters = [
            cluster
            for cluster in sort_clusters(self._round_view.clusters, order, self.session.classes)
            if is_open(cluster) or not is_open_only
        ]
        for cluster in clusters:
            name, indent = format_cluster_name(cluster), "  " * len(cluster.path)
            guess = cluster.guess
            prediction = (
                f", prediction {self.session.classes.names[guess[0]]} ({format_share(guess[1])})"
                if guess is not None and cluster.answer is None
                else ""
            )
            self._print_line(f"{indent}cluster {name}: {describe_cluster(cluster, self.session.classes)}{prediction}")
        if not clusters:
            self._print_line("All clusters have an answer.")

    def _print_history(self, class_id: int | None) -> None:
        entries = [
            entry for entry in self._load_history() if class_id is None or find_answer_class(entry.answer) == class_id
        ]
        for entry in entries:
            self._print_line(describe_history_entry(entry, self.session.classes))
        self._print_line(
            f"{format_count(len(entries), 'answer')}. correct 1 3.1 owl: answer cluster 3.1 of round 1 again"
        )

    def _load_history(self) -> tuple[HistoryEntry, ...]:
        event = self._print_events(self.session.load_history())
        return event.entries if isinstance(event, HistoryLoaded) else ()

    def _correct_answer(self, correction: CorrectAnswer) -> None:
        round_number, path = correction.round_number, correction.path
        self.session.correct_answer(round_number, path, correction.answer)
        self._refresh_round(self._focused_cluster.path)
        when = "" if round_number == self._round_view.round_number else ". It counts from the next training on"
        answer = describe_answer(correction.answer, self.session.classes)
        self._print_line(f"Saved: cluster {format_path(path)} of round {round_number} = {answer}{when}")

    def _export(self, path: Path) -> None:
        try:
            event = self._print_events(self.session.export_labels(path))
        except OutputExistsError as error:
            raise UserError(f"{error.output} exists already. Choose another name.") from None
        if isinstance(event, LabelsExported):
            self._print_line(event.message)

    def _print_classes(self) -> None:
        classes, answer_counts = self.session.classes, self.session.answer_counts()
        round_view = self._round_view
        for class_id, name in enumerate(classes.names):
            digit = format_class_digit(round_view, class_id)
            key = f"digit {digit}" if digit else "no digit"
            if class_id in classes.active_ids:
                state = format_count(answer_counts[class_id], "answer")
            else:
                key, state = "no digit", f"merged into {classes.resolved_names[class_id]}"
            self._print_line(f"  {key}: {name}, {state}")

    def _print_digit_keys(self) -> None:
        self._print_line(format_key_line(self.session.classes, self._round_view.digit_keys))

    def _print_help(self) -> None:
        width = max(len(command) for command, _ in COMMAND_HELP) + 2
        for command, effect in COMMAND_HELP:
            self._print_line(f"  {command:<{width}}{effect}")

    def _show_next_unanswered(self) -> None:
        """Show the next cluster without an answer, wrapping around at the end."""
        round_view = self._round_view
        index = find_next_unanswered(round_view.clusters, self._focus_index)
        if index is None:
            self._print_line(f"{describe_progress(round_view)}. g: continue training")
        else:
            self._show_cluster(round_view.clusters[index].path)

    def _show_cluster(self, path: ClusterPath) -> None:
        """Refresh the round, print a cluster and ask for its class."""
        self._refresh_round(path)
        cluster, classes = self._focused_cluster, self.session.classes
        round_view = self._round_view
        answered = f"{round_view.answered_leaf_count} of {round_view.leaf_count} answered"
        self._print_line("")
        self._print_line(f"Cluster {format_cluster_name(cluster)}: {describe_cluster(cluster, classes)}. {answered}")
        for line in (
            describe_predictions(cluster, classes),
            describe_similar_cluster(cluster, round_view.clusters, classes),
        ):
            if line:
                self._print_line(line)
        if self._shows_pictures:
            if shows_nearest_images(self.session.config):
                self._print_line(f"{NEAREST_IMAGE_HEADING.capitalize()}:")
            self._print_picture(cluster.picture)
        self._print_line(format_class_question(cluster, classes, self.session.has_features))

    def _print_picture(self, picture: Pixels) -> None:
        """Print a picture in at most 28 columns and 14 lines of two pixels, without black lines around it."""
        lines = "\n".join(line.rstrip() for line in to_ascii_lines(fit_image(picture, 28, 28)))
        for line in lines.strip("\n").split("\n"):
            self._print_line(line)

    def _read_line(self) -> str:
        """Return the next line; raise ShutdownRequested at the end of the input or after a signal.

        A last line without a line end is ignored: a broken pipe may have cut it short.
        """
        self._shutdown_signals.is_interruptible = True
        line = chunk = self._input_stream.readline(MAX_LINE_CHARS)
        if line.startswith("export ") and not line.endswith("\n"):
            line += self._input_stream.readline(MAX_PATH_CHARS)
            chunk = line
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

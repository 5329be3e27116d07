"""Do once everything that a user may do to a session, and record the results and the refusals."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.soak.expected_answers import GiveAnswer, StoredAnswer, read_stored_answers
from vaetui.cli.main import app
from vaetui.engine.answers import ClassAnswer, Cleared, Unreadable
from vaetui.engine.classes import AddClass
from vaetui.engine.events import EpochEnded
from vaetui.engine.train_state import to_checkpoint_arrays
from vaetui.errors import UserError
from vaetui.session import lifecycle
from vaetui.session.session import Session
from vaetui.storage import file_names, locations

STATUS_KEYS = (
    *("phase", "epoch", "round", "answers", "test_accuracy", "pixel_accuracy", "losses"),
    *("recipe", "seed"),
)
"""What `show --json` prints and a repair must not change."""


class InventedAnswerError(AssertionError):
    """The database holds an answer that was never given."""


class UnprintableOutputError(AssertionError):
    """Printed text that a terminal would interpret."""


@dataclass(slots=True)
class ExerciseResult:
    """The results of the exercise."""

    answers: list[StoredAnswer] | None = None
    """The stored answers when the session was open."""
    networks: str = ""
    """Digest of the networks at the end of the epoch."""
    views: str = ""
    """Digest of what the screens show."""
    reading_test: str = ""
    """The answers of the reading test."""
    status: str = ""
    """Digest of what `show` prints."""
    labels: str = ""
    """Digest of the exported labels."""
    refusals: list[str] = field(default_factory=list)
    """The messages of UserErrors."""


class Exercise:
    """All actions on the session of that name below VAETUI_HOME."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.result = ExerciseResult()

    def run(self) -> ExerciseResult:
        """Perform all actions; an action that is refused is skipped.

        Raises everything except UserError, and InventedAnswerError and UnprintableOutputError.
        """
        for command in (["sessions"], ["sessions", "--json"], ["show", self._name], ["show", self._name, "--json"]):
            self._run_command(*command)
        with self._record_refusals():
            self._use_session()
        self._run_command("check", self._name)
        labels = locations.sessions_directory().parent / "labels.csv"
        self._run_command("export", self._name, "-o", str(labels))
        if labels.exists():
            self.result.labels = hashlib.sha256(labels.read_bytes()).hexdigest()
            assert all(len(row) == 10 for row in csv.reader(labels.read_text().splitlines()))
        return self.result

    def _use_session(self) -> None:
        session = lifecycle.resume(self._name)
        try:
            self.result.answers = _read_answers(session.directory)
            self._advance(session)
        finally:
            session.close()

    def _advance(self, session: Session) -> None:
        """Train to the end of an epoch and continue as the phase of the session allows."""
        views = hashlib.sha256(repr((session.phase, session.round_number, session.round_count)).encode())
        session.training_curves()
        events = session.advance()
        for event in events:
            if isinstance(event, EpochEnded):
                break
        if hasattr(events, "close"):
            events.close()
        assert session._resources.trainer is not None
        self.result.networks = _compute_digest(sorted(to_checkpoint_arrays(session._resources.trainer._state).items()))
        curves = session.training_curves()
        views.update(repr((curves.loss_points, [epoch.losses for epoch in curves.finished_epochs])).encode())
        if session.phase == "labelling":
            clusters = session.round_view().clusters
            views.update(
                _compute_digest(
                    (cluster.path, cluster.picture, cluster.answer, cluster.class_shares, cluster.size)
                    for cluster in clusters
                ).encode()
            )
            self._label(session)
        with self._record_refusals():
            self.result.reading_test = repr(session.reading_test().class_ids)
        if session.phase == "finished":
            summary = session.summary()
            views.update(repr((summary.class_counts, summary.unanswered_class_ids, summary.answer_count)).encode())
        with self._record_refusals():
            session.least_sure_images(1, 4)
            list(session.load_history())
        self.result.views = views.hexdigest()

    def _label(self, session: Session) -> None:
        """Give an answer, undo and redo it, and compare the database each time."""
        clusters = session.round_view().clusters
        cluster = next((cluster for cluster in clusters if cluster.answer is None), clusters[0])
        session.member_images(cluster.path, "nearest", 4)
        before = _read_answers(session.directory)
        answer = ClassAnswer(5, 0.5)
        session.record_answer(cluster.path, answer)
        expected = None if before is None else GiveAnswer(session.round_number, cluster.path, answer).apply(before)
        _check_answers(session.directory, expected)
        session.undo()
        _check_answers(session.directory, expected and [*expected[:-1], replace(expected[-1], state="undone")])
        session.redo()
        _check_answers(session.directory, expected)
        with self._record_refusals():
            for _ in session.split_cluster(cluster.path, 2):
                pass
            session.round_view()
        with self._record_refusals():
            session.edit_classes(AddClass(len(session.classes), "one more"))
            session.record_answer(cluster.path, ClassAnswer(len(session.classes) - 1))
            session.round_view()
            session.undo(), session.undo()
        with self._record_refusals():
            new_class = AddClass(len(session.classes), "another")
            session.record_answers([((0,), ClassAnswer(new_class.class_id)), ((3,), Unreadable())], new_class)
            session.record_answers([((3,), ClassAnswer(2, 0.9))], extends_last_step=True)
            session.record_answer(cluster.path, Cleared())
            session.round_view()
            session.undo(), session.undo()
        with self._record_refusals():
            session.correct_answer(1, (0,), ClassAnswer(2))
            session.member_images((0,), "farthest", 4, round_number=1)
            session.undo()
        session.set_one_key_mode(not session.one_key_mode)

    def _run_command(self, *arguments: str) -> None:
        """Run a command in this process and check what it prints."""
        stdout, stderr = io.StringIO(), io.StringIO()
        with self._record_refusals(), contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            try:
                app(list(arguments), standalone_mode=False)
            except SystemExit as error:
                if error.code not in (0, 2) and (arguments[0], error.code) != ("check", 1):
                    log = file_names.log_path(locations.sessions_directory() / self._name).read_text()
                    raise AssertionError(f"{arguments[0]}: status {error.code}: {log.splitlines()[-1]}") from error
        _check_printable(stdout.getvalue())
        if arguments[-1] == "--json" and arguments[0] == "show" and stdout.getvalue():
            status: dict[str, Any] = json.loads(stdout.getvalue())
            self.result.status = _compute_digest((key, status[key]) for key in STATUS_KEYS)

    @contextmanager
    def _record_refusals(self) -> Iterator[None]:
        try:
            yield
        except UserError as error:
            _check_printable(str(error))
            if "\n" in str(error):
                raise UnprintableOutputError(str(error)) from error
            self.result.refusals.append(str(error))


def _compute_digest(items: Iterable[Iterable[Any]]) -> str:
    """Return a digest of tuples of arrays and plain values."""
    digest = hashlib.sha256()
    for item in items:
        for value in item:
            digest.update(value.tobytes() if hasattr(value, "tobytes") else repr(value).encode())
    return digest.hexdigest()


def _read_answers(directory: Path) -> list[StoredAnswer] | None:
    """Read the answers without the program's own code; None if the rows are invalid."""
    try:
        return read_stored_answers(directory)
    except (sqlite3.Error, ValueError, TypeError, KeyError, AttributeError):
        return None


def _check_answers(directory: Path, expected: list[StoredAnswer] | None) -> None:
    """Compare the stored answers in any order: corrupted ids sort them arbitrarily."""
    answers = _read_answers(directory)
    if answers is not None and expected is not None and Counter(answers) != Counter(expected):
        raise InventedAnswerError(f"{answers} instead of {expected}")


def _check_printable(text: str) -> None:
    for character in text:
        if not (character.isprintable() or character == "\n"):
            raise UnprintableOutputError(f"{character!r} in {text!r:.200}")

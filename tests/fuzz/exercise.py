"""Everything that a person may do to a session, done once; tells what it came to, and what was refused."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.soak.record import Row, Said, facts
from vaetui.cli.main import app
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.classes import AddClass
from vaetui.engine.events import EpochEnded
from vaetui.engine.training import state_dict
from vaetui.errors import UserError
from vaetui.session import lifecycle
from vaetui.session.session import Session
from vaetui.storage import file_names, locations

TOLD = ("phase", "epoch", "round", "answers", "label_coverage", "test_accuracy", "pixel_accuracy", "losses", "recipe", "seed")


class Invented(AssertionError):  # noqa: N818 (a verdict)
    """The facts hold what nobody said."""


class Unprintable(AssertionError):  # noqa: N818 (a verdict)
    """A terminal would obey what was told."""


@dataclass(slots=True)
class Outcome:
    """What a session was found to be."""

    rows: list[Row] | None = None
    """What was said in it, as it was when the session was open."""
    learned: str = ""
    """A digest of the networks when they had trained to the end of an epoch."""
    shown: str = ""
    """A digest of what a person sees of it on the screens."""
    sheet: str = ""
    """What was read in the reading test."""
    told: str = ""
    """A digest of what `show` tells of it."""
    labels: str = ""
    """A digest of what is exported."""
    refusals: list[str] = field(default_factory=list)
    """The sentences of what was refused."""


class Exercise:
    """Does it all to the session of that name in VAETUI_HOME."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Do it all; what is refused in one sentence is passed over.

        Raises anything else that the program raises, and Invented and Unprintable.
        """
        for command in (["sessions"], ["sessions", "--json"], ["show", self._name], ["show", self._name, "--json"]):
            self._call(*command)
        with self._heard():
            self._open()
        if "check" in app.commands:
            self._call("check", self._name)
        labels = locations.sessions_directory().parent / "labels.csv"
        self._call("export", self._name, "-o", str(labels))
        if labels.exists():
            self.outcome.labels = hashlib.sha256(labels.read_bytes()).hexdigest()
            assert all(len(row) == 9 for row in csv.reader(labels.read_text().splitlines()))
        return self.outcome

    def _open(self) -> None:
        session = lifecycle.resume(self._name)
        try:
            self.outcome.rows = said(session.directory)
            self._work(session)
        finally:
            session.close()

    def _work(self, session: Session) -> None:
        """Go on as the state of the session allows."""
        seen = hashlib.sha256(repr((session.phase, session.round_number, session.rounds)).encode())
        session.training_curves()
        events = session.advance()
        for event in events:
            if isinstance(event, EpochEnded):
                break
        if hasattr(events, "close"):
            events.close()
        assert session._resources.trainer is not None
        self.outcome.learned = digest(sorted(state_dict(session._resources.trainer._state).items()))
        curves = session.training_curves()
        seen.update(repr((curves.loss_points, [epoch.losses for epoch in curves.finished_epochs])).encode())
        if session.phase == "labelling":
            board = session.round_view()
            seen.update(
                digest(
                    (tile.path, tile.picture, tile.answer, tile.class_shares, tile.size) for tile in board.clusters
                ).encode()
            )
            self._label(session)
        with self._heard():
            self.outcome.sheet = repr(session.reading_test().class_ids)
        if session.phase == "finished":
            summary = session.summary()
            seen.update(repr((summary.class_counts, summary.label_coverage, summary.answer_count)).encode())
        self.outcome.shown = seen.hexdigest()

    def _label(self, session: Session) -> None:
        """Say one thing, take it back and bring it back, and hold the facts against it."""
        tile = next(
            (tile for tile in session.round_view().clusters if tile.answer is None), session.round_view().clusters[0]
        )
        session.members(tile.path, "nearest", 4)
        before = said(session.directory)
        answer = Said(session.round_number, tile.path, ClassAnswer(5, 0.5))
        session.answer(tile.path, answer.answer)
        standing = None if before is None else answer.applied(before)
        _hold(session.directory, standing)
        session.undo()
        _hold(session.directory, standing and [*standing[:-1], replace(standing[-1], state="undone")])
        session.redo()
        _hold(session.directory, standing)
        with self._heard():
            for _ in session.split(tile.path, 2):
                pass
            session.round_view()
        with self._heard():
            session.edit_classes(AddClass(len(session.classes), "one more"))
            session.answer(tile.path, ClassAnswer(len(session.classes) - 1))
            session.round_view()
            session.undo(), session.undo()

    def _call(self, *arguments: str) -> None:
        """Run a command in this process, and look at what it prints."""
        printed, complained = io.StringIO(), io.StringIO()
        with self._heard(), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complained):
            try:
                app(list(arguments), standalone_mode=False)
            except SystemExit as left:
                if left.code not in (0, 2) and (arguments[0], left.code) != ("check", 1):
                    told = file_names.log_path(locations.sessions_directory() / self._name).read_text().splitlines()[-1]
                    raise AssertionError(f"{arguments[0]} left with {left.code}: {told}") from left
        _look(printed.getvalue())
        if arguments[-1] == "--json" and arguments[0] == "show" and printed.getvalue():
            told: dict[str, Any] = json.loads(printed.getvalue())
            self.outcome.told = digest((key, told[key]) for key in TOLD)

    @contextmanager
    def _heard(self) -> Iterator[None]:
        try:
            yield
        except UserError as trouble:
            _look(str(trouble))
            if "\n" in str(trouble):
                raise Unprintable(str(trouble)) from trouble
            self.outcome.refusals.append(str(trouble))


def digest(values: Any) -> str:
    """Digest names with arrays or plain values."""
    found = hashlib.sha256()
    for value in values:
        for part in value:
            found.update(part.tobytes() if hasattr(part, "tobytes") else repr(part).encode())
    return found.hexdigest()


def said(directory: Path) -> list[Row] | None:
    """Read all sayings past the program; None where they mean nothing."""
    try:
        return facts(directory)
    except (sqlite3.Error, ValueError, TypeError, KeyError, AttributeError):
        return None


def _hold(directory: Path, expected: list[Row] | None) -> None:
    """Hold the facts against what has to be in them, in any order: absurd numbers are sorted absurdly."""
    found = said(directory)
    if found is not None and expected is not None and Counter(found) != Counter(expected):
        raise Invented(f"{found} instead of {expected}")


def _look(text: str) -> None:
    for character in text:
        if not (character.isprintable() or character == "\n"):
            raise Unprintable(f"{character!r} in {text!r:.200}")

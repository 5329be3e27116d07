"""Keep what a session must store after the answers that were typed and confirmed, and compare it with the database."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from vaetui.engine.answers import (
    Answer,
    ClassAnswer,
    Cleared,
    ClusterPath,
    NearestImageAnswer,
    Split,
    Unreadable,
    format_path,
)
from vaetui.storage import file_names

CONFIRMATIONS = ("Saved: ", "Undid: ", "Redid: ")
"""Prefixes of the lines that confirm an answer, an undo and a redo."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A row of the table `answer`."""

    round_number: int
    path: ClusterPath
    answer: Answer
    made_in_round: int
    state: str = "active"


@dataclass(frozen=True, slots=True)
class GiveAnswer:
    """A cluster is answered or split."""

    round_number: int
    path: ClusterPath
    answer: Answer

    @property
    def confirmation_pattern(self) -> str:
        """Return a pattern of the text that confirms the answer."""
        cluster = rf"Saved: cluster {re.escape(format_path(self.path))}\b"
        match self.answer:
            case ClassAnswer(class_id, confidence):
                return rf'{cluster} = "{class_id}"' + ("" if confidence >= 1 else f", confidence {confidence:.1f}")
            case Split(parts):
                return rf"{cluster} .*\b{parts}\b"
            case Unreadable():
                return rf"{cluster} .*unreadable"
            case Cleared():
                return rf"{cluster} .*cleared"

    def apply(self, answers: list[StoredAnswer]) -> list[StoredAnswer]:
        """Return the answers with this one added; answers undone in the round can no longer be redone."""
        kept = [
            replace(answer, state="discarded")
            if answer.state == "undone" and answer.made_in_round == self.round_number
            else answer
            for answer in answers
        ]
        return [*kept, StoredAnswer(self.round_number, self.path, self.answer, self.round_number)]


@dataclass(frozen=True, slots=True)
class UndoOrRedo:
    """The last answer is undone, or the one undone last is restored."""

    round_number: int
    command: Literal["undo", "redo"]
    path: ClusterPath

    @property
    def confirmation_pattern(self) -> str:
        """Return a pattern of the text that confirms the command."""
        verb = "Undid" if self.command == "undo" else "Redid"
        return rf"{verb}: .*cluster {re.escape(format_path(self.path))}(?![.\d])"

    def apply(self, answers: list[StoredAnswer]) -> list[StoredAnswer]:
        """Return the answers with the state of one of them changed."""
        before, after = ("active", "undone") if self.command == "undo" else ("undone", "active")
        indices = [
            index
            for index, answer in enumerate(answers)
            if answer.made_in_round == self.round_number and answer.state == before
        ]
        index = indices[-1 if self.command == "undo" else 0]
        return [*answers[:index], replace(answers[index], state=after), *answers[index + 1 :]]


UserAction: TypeAlias = GiveAnswer | UndoOrRedo


@dataclass(slots=True)
class ExpectedAnswers:
    """Confirmed answers, and the one action that was typed and is not yet confirmed."""

    answers: list[StoredAnswer] = field(default_factory=list)
    """Confirmed answers in order."""
    pending: UserAction | None = None
    """The action that was typed and is not yet confirmed."""
    lost: list[StoredAnswer] = field(default_factory=list)
    """Confirmed answers that are missing in the database."""
    invented: list[StoredAnswer] = field(default_factory=list)
    """Answers in the database that were never typed."""
    confirmed_count: int = 0
    """Number of confirmed actions."""

    def start(self, action: UserAction) -> None:
        """Record that an action was typed."""
        assert self.pending is None, (self.pending, action)
        self.pending = action

    def read_line(self, line: str) -> bool:
        """Read a line of the dialogue; return whether it confirms the pending action."""
        if not line.startswith(CONFIRMATIONS):
            return False
        assert self.pending is not None, f"{line!r} confirms nothing that was typed"
        assert re.match(self.pending.confirmation_pattern, line), f"{line!r} does not confirm {self.pending}"
        self.confirm()
        return True

    def confirm(self) -> None:
        """Apply the pending action."""
        assert self.pending is not None
        self.answers, self.pending = self.pending.apply(self.answers), None
        self.confirmed_count += 1

    def compare(self, directory: Path) -> None:
        """Compare with the database; a pending action may be stored completely or not at all."""
        stored = read_stored_answers(directory)
        candidates = [self.answers] + ([self.pending.apply(self.answers)] if self.pending else [])
        if stored not in candidates:
            fewest, most = Counter(candidates[0]), Counter(candidates[-1])
            self.lost += (fewest & most) - Counter(stored)
            self.invented += Counter(stored) - (fewest | most)
            assert self.lost or self.invented, f"different order: {stored} instead of {self.answers}"
        self.answers, self.pending = stored, None

    def select(self, round_number: int, state: str = "active") -> list[StoredAnswer]:
        """Return the answers of a round in a state."""
        return [answer for answer in self.answers if answer.round_number == round_number and answer.state == state]


def read_stored_answers(directory: Path) -> list[StoredAnswer]:
    """Read all answers of a session from its database, without the program's own code."""
    database = sqlite3.connect(f"file:{file_names.database_path(directory)}?mode=ro", uri=True)
    rows = database.execute(
        "SELECT round_number, cluster_path, kind, class_id, confidence, part_count, made_in_round, state FROM answer "
        "ORDER BY id"
    ).fetchall()
    database.close()
    return [
        StoredAnswer(
            round_number,
            tuple(map(int, cluster_path.split("."))),
            _parse_answer(kind, class_id, confidence, part_count),
            made_in_round,
            state,
        )
        for round_number, cluster_path, kind, class_id, confidence, part_count, made_in_round, state in rows
    ]


def _parse_answer(kind: str, class_id: int, confidence: float, part_count: int) -> Answer:
    match kind:
        case "class":
            return ClassAnswer(class_id, confidence)
        case "nearest":
            return NearestImageAnswer(class_id)  # a front end does not name the image
        case "split":
            return Split(part_count)
        case "cleared":
            return Cleared()
        case _:
            return Unreadable()

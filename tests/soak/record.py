"""What must stand in a session after what was typed and told; it does not know who types."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Literal, TypeAlias

from vaetui.engine.answers import Answer, ClassAnswer, ClusterPath, Split, Unreadable, format_path
from vaetui.storage import file_names


@dataclass(frozen=True, slots=True)
class Row:
    """One saying, as the facts keep it."""

    round: int
    path: ClusterPath
    answer: Answer
    state: str = "stands"


@dataclass(frozen=True, slots=True)
class Said:
    """A cluster is answered or split."""

    round: int
    path: ClusterPath
    answer: Answer

    @property
    def told(self) -> str:
        """The line that tells it as kept."""
        match self.answer:
            case ClassAnswer(label, confidence):
                return f"saved: {format_path(self.path)} is {label}" + (
                    "" if confidence >= 1 else f" at {confidence:.1f}"
                )
            case Split(parts):
                return f"saved: centre {format_path(self.path)} is split into {parts}"
            case Unreadable():
                return f"saved: {format_path(self.path)} is unreadable"

    def applied(self, rows: list[Row]) -> list[Row]:
        """Give the rows with this one more: what was undone in the round can no longer be redone."""
        gone = [
            replace(row, state="dropped") if row.state == "undone" and row.round == self.round else row for row in rows
        ]
        return [*gone, Row(self.round, self.path, self.answer)]


@dataclass(frozen=True, slots=True)
class Moved:
    """The last answer is taken back, or the one that was taken back last stands again."""

    round: int
    what: Literal["undo", "redo"]
    path: ClusterPath

    @property
    def told(self) -> str:
        """The line that tells it as kept."""
        return f"{self.what}: centre {format_path(self.path)}"

    def applied(self, rows: list[Row]) -> list[Row]:
        """Give the rows with one of them in another state."""
        before, after = ("stands", "undone") if self.what == "undo" else ("undone", "stands")
        places = [at for at, row in enumerate(rows) if row.round == self.round and row.state == before]
        at = places[-1 if self.what == "undo" else 0]
        return [*rows[:at], replace(rows[at], state=after), *rows[at + 1 :]]


Act: TypeAlias = Said | Moved


@dataclass(slots=True)
class Record:
    """What was told as kept, and the one act that was typed and not yet told."""

    rows: list[Row] = field(default_factory=list)
    pending: Act | None = None
    lost: list[Row] = field(default_factory=list)
    """Told as kept, and not in the facts."""
    invented: list[Row] = field(default_factory=list)
    """In the facts, and never typed."""
    kept: int = 0
    """Acts that were told as kept."""

    def typed(self, act: Act) -> None:
        assert self.pending is None, (self.pending, act)
        self.pending = act

    def hear(self, line: str) -> bool:
        """Take a line of the dialogue; tells whether it settles what was typed."""
        if not line.startswith(("saved: ", "undo: ", "redo: ")):
            return False
        assert self.pending is not None, f"{line!r} was told and nothing was typed"
        assert line == self.pending.told, f"{line!r} was told, and typed was {self.pending}"
        self.settle()
        return True

    def settle(self) -> None:
        """Count what was typed as told."""
        assert self.pending is not None
        self.rows, self.pending = self.pending.applied(self.rows), None
        self.kept += 1

    def compare(self, directory: FilePath) -> None:
        """Hold the facts against the record: a pending act may have happened, wholly, or not at all."""
        found = facts(directory)
        possible = [self.rows] + ([self.pending.applied(self.rows)] if self.pending else [])
        if found not in possible:
            least, most = Counter(possible[0]), Counter(possible[-1])
            self.lost += (least & most) - Counter(found)
            self.invented += Counter(found) - (least | most)
            assert self.lost or self.invented, f"another order: {found} instead of {self.rows}"
        self.rows, self.pending = found, None

    def standing(self, round: int, state: str = "stands") -> list[Row]:
        return [row for row in self.rows if row.round == round and row.state == state]


def facts(directory: FilePath) -> list[Row]:
    """Read all sayings as they lie on the disk, past the program's own reading of them."""
    base = sqlite3.connect(f"file:{file_names.database_path(directory)}?mode=ro", uri=True)
    rows = base.execute("SELECT round, path, kind, label, confidence, parts, state FROM saying ORDER BY id").fetchall()
    base.close()
    return [
        Row(round, tuple(map(int, path.split("."))), _answer(kind, label, confidence, parts), state)
        for round, path, kind, label, confidence, parts, state in rows
    ]


def _answer(kind: str, label: int, confidence: float, parts: int) -> Answer:
    return {"label": lambda: ClassAnswer(label, confidence), "unreadable": Unreadable, "split": lambda: Split(parts)}[
        kind
    ]()

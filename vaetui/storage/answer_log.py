"""What a person said of clusters and did to classes, in one order; it does not know what it comes to."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from vaetui.engine.answers import Answer, Path, read_path, written
from vaetui.engine.classes import Naming
from vaetui.storage import answer_rows, namings
from vaetui.storage.answer_rows import Saying
from vaetui.storage.database import Database
from vaetui.storage.fingerprints import Stamp
from vaetui.storage.journal import Change
from vaetui.storage.namings import Named

State: TypeAlias = Literal["stands", "undone"]
Act: TypeAlias = Saying | Named
"""What is undone and redone as one."""


class Spoken:
    """Two tables that share one sequence of numbers; what is recorded is on the disk when a verb returns."""

    def __init__(self, base: Database) -> None:
        """Keep it in that file."""
        self._base = base

    def next_act(self) -> int:
        """Tell the number that the next act will have."""
        query = "SELECT max((SELECT coalesce(max(id), 0) FROM saying), (SELECT coalesce(max(id), 0) FROM naming)) + 1"
        return int(self._base.rows(query)[0][0])

    def say(self, round: int, path: Path, answer: Answer, *stamps: Stamp) -> Saying:
        """Record what a person said, with the files that belong to it; what was undone can no longer be redone."""
        number = self.next_act()
        row = (number, round, written(path), *answer_rows.columns(answer), "stands", time.time())
        self._base.change(*_dropped(round), ("saying", row), *kept(stamps))
        return Saying(number, path, answer)

    def amend(self, round: int, naming: Naming) -> Named:
        """Record what a person did to the classes; what was undone can no longer be redone."""
        number = self.next_act()
        row = (number, round, *namings.columns(naming), "stands", time.time())
        self._base.change(*_dropped(round), ("naming", row))
        return Named(number, naming)

    def undo(self, act: Act) -> None:
        """Record that an act was taken back."""
        self._mark(act, "undone")

    def redo(self, act: Act) -> None:
        """Record that an act stands again."""
        self._mark(act, "stands")

    def acts(self, round: int, state: State = "stands") -> list[Act]:
        """List what was said and done in a round and now `stands` or is `undone`, oldest first."""
        both: list[Act] = [*self.sayings(round, state), *self._namings("= ? AND state = ?", round, state)]
        return sorted(both, key=lambda act: act.id)

    def sayings(self, round: int, state: State = "stands") -> list[Saying]:
        """List what was said of clusters in a round and now `stands` or is `undone`, oldest first."""
        rows = self._base.rows(
            "SELECT id, path, kind, label, confidence, parts FROM saying WHERE round = ? AND state = ? ORDER BY id",
            (round, state),
        )
        return [Saying(number, read_path(path), answer_rows.read(*values)) for number, path, *values in rows]

    def namings(self, last: int) -> list[Named]:
        """List what was done to the classes up to the end of a round and stands, oldest first."""
        return self._namings("<= ? AND state = ?", last, "stands")

    def times(self, round: int) -> list[float]:
        """List when something was said or done in a round, in seconds since 1970, in order."""
        query = "SELECT id, said FROM saying WHERE round = ? UNION ALL SELECT id, said FROM naming WHERE round = ?"
        return [said for _, said in self._base.rows(f"{query} ORDER BY id", (round, round))]

    def tally(self, last: int) -> dict[int, int]:
        """Count how often each class was named in the rounds up to that one, as it was said then, and stands."""
        query = "SELECT label, count(*) FROM saying WHERE kind = 'label' AND state = 'stands' AND round <= ?"
        return dict(self._base.rows(f"{query} GROUP BY label", (last,)))

    def last_answered(self) -> int:
        """Give the last round in which something stands, 0 where there is none."""
        return int(self._base.rows("SELECT coalesce(max(round), 0) FROM saying WHERE state = 'stands'")[0][0])

    def answers(self) -> int:
        """Count what was said and stands, over all rounds: labels, unreadables and splits."""
        return int(self._base.rows("SELECT count(*) FROM saying WHERE state = 'stands'")[0][0])

    def _namings(self, which: str, round: int, state: State) -> list[Named]:
        query = f"SELECT id, kind, class, name, target FROM naming WHERE round {which} ORDER BY id"
        return [Named(number, namings.read(*values)) for number, *values in self._base.rows(query, (round, state))]

    def _mark(self, act: Act, state: State) -> None:
        self._base.change(("saying marked" if isinstance(act, Saying) else "naming marked", (state, act.id)))


def kept(stamps: Iterable[Stamp]) -> Iterator[Change]:
    """Give the changes that make files part of the session."""
    return (("file", stamp) for stamp in stamps)


def _dropped(round: int) -> tuple[Change, ...]:
    return ("undone dropped", (round,)), ("undone namings dropped", (round,))

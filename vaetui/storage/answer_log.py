"""What a person said of clusters and did to classes, in one order; it does not know what it comes to."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from vaetui.engine.answers import Answer, ClusterPath, format_path, parse_path
from vaetui.engine.classes import ClassEdit
from vaetui.storage import answer_rows, namings
from vaetui.storage.answer_rows import AnswerRecord
from vaetui.storage.database import Database
from vaetui.storage.fingerprints import FileFingerprint
from vaetui.storage.journal import Change
from vaetui.storage.namings import ClassEditRecord

ActionState: TypeAlias = Literal["stands", "undone"]
UserAction: TypeAlias = AnswerRecord | ClassEditRecord
"""What is undone and redone as one."""


class AnswerLog:
    """Two tables that share one sequence of numbers; what is recorded is on the disk when a verb returns."""

    def __init__(self, database: Database) -> None:
        """Keep it in that file."""
        self._database = database

    def next_action_id(self) -> int:
        """Tell the number that the next act will have."""
        query = "SELECT max((SELECT coalesce(max(id), 0) FROM saying), (SELECT coalesce(max(id), 0) FROM naming)) + 1"
        return int(self._database.fetch_all(query)[0][0])

    def record_answer(
        self, round_number: int, path: ClusterPath, answer: Answer, *fingerprints: FileFingerprint
    ) -> AnswerRecord:
        """Record what a person said, with the files that belong to it; what was undone can no longer be redone."""
        number = self.next_action_id()
        row = (number, round_number, format_path(path), *answer_rows.answer_columns(answer), "stands", time.time())
        self._database.apply_changes(
            *_discard_undone_changes(round_number), ("saying", row), *file_added_changes(fingerprints)
        )
        return AnswerRecord(number, path, answer)

    def record_class_edit(self, round_number: int, class_edit: ClassEdit) -> ClassEditRecord:
        """Record what a person did to the classes; what was undone can no longer be redone."""
        number = self.next_action_id()
        row = (number, round_number, *namings.class_edit_columns(class_edit), "stands", time.time())
        self._database.apply_changes(*_discard_undone_changes(round_number), ("naming", row))
        return ClassEditRecord(number, class_edit)

    def undo(self, action: UserAction) -> None:
        """Record that an act was taken back."""
        self._set_state(action, "undone")

    def redo(self, action: UserAction) -> None:
        """Record that an act stands again."""
        self._set_state(action, "stands")

    def list_actions(self, round_number: int, state: ActionState = "stands") -> list[UserAction]:
        """List what was said and done in a round and now `stands` or is `undone`, oldest first."""
        both: list[UserAction] = [
            *self.list_answers(round_number, state),
            *self._query_class_edits("= ? AND state = ?", round_number, state),
        ]
        return sorted(both, key=lambda act: act.id)

    def list_answers(self, round_number: int, state: ActionState = "stands") -> list[AnswerRecord]:
        """List what was said of clusters in a round and now `stands` or is `undone`, oldest first."""
        rows = self._database.fetch_all(
            "SELECT id, path, kind, label, confidence, parts FROM saying WHERE round = ? AND state = ? ORDER BY id",
            (round_number, state),
        )
        return [
            AnswerRecord(number, parse_path(path), answer_rows.parse_answer(*values)) for number, path, *values in rows
        ]

    def list_class_edits(self, last_round: int) -> list[ClassEditRecord]:
        """List what was done to the classes up to the end of a round and stands, oldest first."""
        return self._query_class_edits("<= ? AND state = ?", last_round, "stands")

    def list_action_times(self, round_number: int) -> list[float]:
        """List when something was said or done in a round, in seconds since 1970, in order."""
        query = "SELECT id, said FROM saying WHERE round = ? UNION ALL SELECT id, said FROM naming WHERE round = ?"
        return [said for _, said in self._database.fetch_all(f"{query} ORDER BY id", (round_number, round_number))]

    def answer_counts(self, last_round: int) -> dict[int, int]:
        """Count how often each class was named in the rounds up to that one, as it was said then, and stands."""
        query = "SELECT label, count(*) FROM saying WHERE kind = 'label' AND state = 'stands' AND round <= ?"
        return dict(self._database.fetch_all(f"{query} GROUP BY label", (last_round,)))

    def last_answered_round(self) -> int:
        """Give the last round in which something stands, 0 where there is none."""
        return int(self._database.fetch_all("SELECT coalesce(max(round), 0) FROM saying WHERE state = 'stands'")[0][0])

    def count_answers(self) -> int:
        """Count what was said and stands, over all rounds: labels, unreadables and splits."""
        return int(self._database.fetch_all("SELECT count(*) FROM saying WHERE state = 'stands'")[0][0])

    def _query_class_edits(self, round_condition: str, round_number: int, state: ActionState) -> list[ClassEditRecord]:
        query = f"SELECT id, kind, class, name, target FROM naming WHERE round {round_condition} ORDER BY id"
        return [
            ClassEditRecord(number, namings.parse_class_edit(*values))
            for number, *values in self._database.fetch_all(query, (round_number, state))
        ]

    def _set_state(self, action: UserAction, state: ActionState) -> None:
        self._database.apply_changes(
            ("saying marked" if isinstance(action, AnswerRecord) else "naming marked", (state, action.id))
        )


def file_added_changes(fingerprints: Iterable[FileFingerprint]) -> Iterator[Change]:
    """Give the changes that make files part of the session."""
    return (("file", stamp) for stamp in fingerprints)


def _discard_undone_changes(round_number: int) -> tuple[Change, ...]:
    return ("undone dropped", (round_number,)), ("undone namings dropped", (round_number,))

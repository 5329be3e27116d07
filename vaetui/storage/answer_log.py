"""Answers and class edits in the order of entry, with undo and redo."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from vaetui.engine.answers import Answer, ClusterPath, format_path, parse_path
from vaetui.engine.classes import ClassEdit
from vaetui.storage import answer_rows
from vaetui.storage.answer_rows import AnswerRecord, ClassEditRecord
from vaetui.storage.database import Database
from vaetui.storage.fingerprints import FileFingerprint
from vaetui.storage.journal import Change

ActionState: TypeAlias = Literal["active", "undone"]
UserAction: TypeAlias = AnswerRecord | ClassEditRecord
"""The unit of undo and redo."""


class AnswerLog:
    """The tables answer and class_edit, with one sequence of ids; each method returns after its change is on disk."""

    def __init__(self, database: Database) -> None:
        """Use the tables of that database."""
        self._database = database

    def next_action_id(self) -> int:
        """Return the id of the next action."""
        query = "SELECT max((SELECT ifnull(max(id), 0) FROM answer), (SELECT ifnull(max(id), 0) FROM class_edit)) + 1"
        return int(self._database.fetch_all(query)[0][0])

    def record_answer(
        self, round_number: int, path: ClusterPath, answer: Answer, *fingerprints: FileFingerprint
    ) -> AnswerRecord:
        """Record an answer and the files that belong to it; undone actions of the round can no longer be redone."""
        answer_id = self.next_action_id()
        row = (
            answer_id,
            round_number,
            format_path(path),
            *answer_rows.to_answer_columns(answer),
            "active",
            time.time(),
        )
        files = build_add_file_changes(fingerprints)
        self._database.apply_changes(*_build_discard_undone_changes(round_number), ("answer", row), *files)
        return AnswerRecord(answer_id, path, answer)

    def record_class_edit(self, round_number: int, class_edit: ClassEdit) -> ClassEditRecord:
        """Record a class edit; undone actions of the round can no longer be redone."""
        edit_id = self.next_action_id()
        row = (edit_id, round_number, *answer_rows.to_class_edit_columns(class_edit), "active", time.time())
        self._database.apply_changes(*_build_discard_undone_changes(round_number), ("class_edit", row))
        return ClassEditRecord(edit_id, class_edit)

    def record_undo(self, action: UserAction) -> None:
        """Record that an action was undone."""
        self._set_state(action, "undone")

    def record_redo(self, action: UserAction) -> None:
        """Record that an undone action is active again."""
        self._set_state(action, "active")

    def list_actions(self, round_number: int, state: ActionState = "active") -> list[UserAction]:
        """Return the answers and class edits of a round in that state, oldest first."""
        class_edits = self._query_class_edits("round_number = ? AND state = ?", (round_number, state))
        return sorted([*self.list_answers(round_number, state), *class_edits], key=lambda action: action.id)

    def list_answers(self, round_number: int, state: ActionState = "active") -> list[AnswerRecord]:
        """Return the answers of a round in that state, oldest first."""
        query = (
            "SELECT id, cluster_path, kind, class_id, confidence, part_count FROM answer "
            "WHERE round_number = ? AND state = ? ORDER BY id"
        )
        rows = self._database.fetch_all(query, (round_number, state))
        return [AnswerRecord(row[0], parse_path(row[1]), answer_rows.parse_answer(*row[2:])) for row in rows]

    def list_class_edits(self, last_round: int | None = None) -> list[ClassEditRecord]:
        """Return the active class edits up to the end of a round, or all of them, oldest first."""
        condition = "state = 'active' AND (? IS NULL OR round_number <= ?)"
        return self._query_class_edits(condition, (last_round, last_round))

    def list_action_times(self, round_number: int) -> list[float]:
        """Return when the actions of a round were recorded, in seconds since 1970, in the order of entry."""
        query = (
            "SELECT id, created_at FROM answer WHERE round_number = ? "
            "UNION ALL SELECT id, created_at FROM class_edit WHERE round_number = ? ORDER BY id"
        )
        return [created_at for _, created_at in self._database.fetch_all(query, (round_number, round_number))]

    def count_answers_by_class(self, last_round: int | None = None) -> dict[int, int]:
        """Return the number of active answers by class id up to a round, or of all; class edits are not applied."""
        query = (
            "SELECT class_id, count(*) FROM answer WHERE kind = 'class' AND state = 'active' "
            "AND (? IS NULL OR round_number <= ?) GROUP BY class_id"
        )
        return dict(self._database.fetch_all(query, (last_round, last_round)))

    def find_last_answered_round(self) -> int:
        """Return the last round that has an active answer, 0 if there is none."""
        query = "SELECT ifnull(max(round_number), 0) FROM answer WHERE state = 'active'"
        return int(self._database.fetch_all(query)[0][0])

    def count_answers(self) -> int:
        """Return the number of active answers of all rounds: classes, unreadable clusters and splits."""
        return int(self._database.fetch_all("SELECT count(*) FROM answer WHERE state = 'active'")[0][0])

    def _query_class_edits(self, condition: str, parameters: tuple[object, ...]) -> list[ClassEditRecord]:
        query = f"SELECT id, kind, class_id, class_name, target_class_id FROM class_edit WHERE {condition} ORDER BY id"
        rows = self._database.fetch_all(query, parameters)
        return [ClassEditRecord(edit_id, answer_rows.parse_class_edit(*columns)) for edit_id, *columns in rows]

    def _set_state(self, action: UserAction, state: ActionState) -> None:
        change = "set_answer_state" if isinstance(action, AnswerRecord) else "set_class_edit_state"
        self._database.apply_changes((change, (state, action.id)))


def build_add_file_changes(fingerprints: Iterable[FileFingerprint]) -> Iterator[Change]:
    """Yield the changes that add files to the session."""
    return (("artifact", fingerprint) for fingerprint in fingerprints)


def _build_discard_undone_changes(round_number: int) -> tuple[Change, ...]:
    return ("discard_undone_answers", (round_number,)), ("discard_undone_class_edits", (round_number,))

"""Answers and class edits in the order of entry, grouped in steps, with undo and redo."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

from vaetui.engine.answers import Answer, ClassAnswer, ClusterPath, find_effective_indices, format_path, parse_path
from vaetui.engine.classes import ClassEdit
from vaetui.storage import answer_rows
from vaetui.storage.answer_rows import AnswerRecord, ClassEditRecord
from vaetui.storage.database import Database
from vaetui.storage.fingerprints import FileFingerprint
from vaetui.storage.journal import Change

ActionState: TypeAlias = Literal["active", "undone"]
UserAction: TypeAlias = AnswerRecord | ClassEditRecord
"""A part of a step, the unit of undo and redo."""
RoundAnswer: TypeAlias = tuple[int, ClusterPath, Answer]
"""The round of a cluster, its path, and the answer."""


class AnswerLog:
    """The tables answer and class_edit, with one sequence of ids; each method returns after its change is on disk."""

    def __init__(self, database: Database) -> None:
        """Use the tables of that database."""
        self._database = database

    def next_action_id(self) -> int:
        """Return the id of the next action."""
        query = "SELECT max((SELECT ifnull(max(id), 0) FROM answer), (SELECT ifnull(max(id), 0) FROM class_edit)) + 1"
        return int(self._database.fetch_all(query)[0][0])

    def record_step(
        self,
        made_in_round: int,
        answers: Sequence[RoundAnswer] = (),
        class_edits: Sequence[ClassEdit] = (),
        *,
        extended_step_id: int | None = None,
        fingerprints: Iterable[FileFingerprint] = (),
    ) -> list[UserAction]:
        """Record class edits and then answers as one step, or as part of a step, with the files that belong to them.

        Undone actions of the round can no longer be redone.
        """
        next_id, created_at = self.next_action_id(), time.time()
        step_id = next_id if extended_step_id is None else extended_step_id
        actions: list[UserAction] = [
            ClassEditRecord(action_id, step_id, class_edit) for action_id, class_edit in enumerate(class_edits, next_id)
        ]
        for action_id, (round_number, path, answer) in enumerate(answers, next_id + len(actions)):
            actions.append(AnswerRecord(action_id, step_id, round_number, made_in_round, path, answer, created_at))
        discards: list[Change] = [
            ("discard_undone_answers", (made_in_round,)),
            ("discard_undone_class_edits", (made_in_round,)),
        ]
        rows = [_build_row(action, made_in_round, created_at) for action in actions]
        self._database.apply_changes(*discards, *rows, *build_add_file_changes(fingerprints))
        return actions

    def record_undo(self, step_id: int) -> None:
        """Record that all actions of a step were undone."""
        self._set_state(step_id, "undone")

    def record_redo(self, step_id: int) -> None:
        """Record that all actions of an undone step are active again."""
        self._set_state(step_id, "active")

    def list_actions(self, made_in_round: int, state: ActionState = "active") -> list[UserAction]:
        """Return the answers and class edits that were made in a round and have that state, oldest first."""
        condition, parameters = "{} = ? AND state = ?", (made_in_round, state)
        answers = self._query_answers(condition.format("made_in_round"), parameters)
        class_edits = self._query_class_edits(condition.format("round_number"), parameters)
        return sorted([*answers, *class_edits], key=lambda action: action.id)

    def list_answers(self, round_number: int, last_round: int | None = None) -> list[AnswerRecord]:
        """Return the active answers for clusters of a round, oldest first.

        Only those made up to the end of `last_round`, or all of them.
        """
        condition = "round_number = ? AND state = 'active' AND (? IS NULL OR made_in_round <= ?)"
        return self._query_answers(condition, (round_number, last_round, last_round))

    def list_effective_answers(self, last_round: int | None = None) -> list[AnswerRecord]:
        """Return the answers in force of all rounds, by those made up to a round or by all, in the order of entry."""
        condition = "state = 'active' AND (? IS NULL OR made_in_round <= ?)"
        records = self._query_answers(condition, (last_round, last_round))
        # The round as the first index keeps clusters of different rounds apart.
        indices = find_effective_indices([((record.round_number, *record.path), record.answer) for record in records])
        return [records[index] for index in indices]

    def list_class_edits(self, last_round: int | None = None) -> list[ClassEditRecord]:
        """Return the active class edits up to the end of a round, or all of them, oldest first."""
        condition = "state = 'active' AND (? IS NULL OR round_number <= ?)"
        return self._query_class_edits(condition, (last_round, last_round))

    def list_action_times(self, round_number: int) -> list[float]:
        """Return when the actions of a round were recorded, in seconds since 1970, in the order of entry."""
        query = (
            "SELECT id, created_at FROM answer WHERE made_in_round = ? "
            "UNION ALL SELECT id, created_at FROM class_edit WHERE round_number = ? ORDER BY id"
        )
        return [created_at for _, created_at in self._database.fetch_all(query, (round_number, round_number))]

    def count_answers_by_class(self, last_round: int | None = None) -> dict[int, int]:
        """Return the number of answers in force by class id, made up to a round or all; class edits are not applied."""
        counts: dict[int, int] = {}
        for record in self.list_effective_answers(last_round):
            if isinstance(record.answer, ClassAnswer):
                counts[record.answer.class_id] = counts.get(record.answer.class_id, 0) + 1
        return counts

    def find_last_answered_round(self) -> int:
        """Return the last round that has an answer in force, 0 if there is none."""
        return max((record.round_number for record in self.list_effective_answers()), default=0)

    def count_answers(self) -> int:
        """Return the number of answers in force of all rounds: classes, unreadable clusters and splits."""
        return len(self.list_effective_answers())

    def _query_answers(self, condition: str, parameters: tuple[object, ...]) -> list[AnswerRecord]:
        query = (
            "SELECT id, step_id, round_number, made_in_round, cluster_path, created_at, kind, class_id, confidence, "
            f"part_count FROM answer WHERE {condition} ORDER BY id"
        )
        rows = self._database.fetch_all(query, parameters)
        return [
            AnswerRecord(
                action_id,
                step_id,
                round_number,
                made_in_round,
                parse_path(path),
                answer_rows.parse_answer(*columns),
                created_at,
            )
            for action_id, step_id, round_number, made_in_round, path, created_at, *columns in rows
        ]

    def _query_class_edits(self, condition: str, parameters: tuple[object, ...]) -> list[ClassEditRecord]:
        query = (
            "SELECT id, step_id, kind, class_id, class_name, target_class_id FROM class_edit "
            f"WHERE {condition} ORDER BY id"
        )
        rows = self._database.fetch_all(query, parameters)
        return [
            ClassEditRecord(edit_id, step_id, answer_rows.parse_class_edit(*columns))
            for edit_id, step_id, *columns in rows
        ]

    def _set_state(self, step_id: int, state: ActionState) -> None:
        self._database.apply_changes(("set_answer_state", (state, step_id)), ("set_class_edit_state", (state, step_id)))


def build_add_file_changes(fingerprints: Iterable[FileFingerprint]) -> Iterator[Change]:
    """Yield the changes that add files to the session."""
    return (("artifact", fingerprint) for fingerprint in fingerprints)


def _build_row(action: UserAction, made_in_round: int, created_at: float) -> Change:
    if isinstance(action, ClassEditRecord):
        columns = answer_rows.to_class_edit_columns(action.class_edit)
        return "class_edit", (action.id, action.step_id, made_in_round, *columns, "active", created_at)
    ids = action.id, action.step_id, action.round_number, made_in_round
    answer_columns = answer_rows.to_answer_columns(action.answer)
    return "answer", (*ids, format_path(action.path), *answer_columns, "active", created_at)

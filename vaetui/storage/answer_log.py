"""Answers, borders and class edits in the order of entry, grouped in steps, with undo and redo."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

from vaetui.engine.answers import (
    Answer,
    AnsweredImage,
    ClusterPath,
    ImageAnswerOrigin,
    NearestImageAnswer,
    find_answer_class,
    find_effective_indices,
    format_path,
    parse_path,
)
from vaetui.engine.classes import ClassEdit
from vaetui.storage import answer_rows
from vaetui.storage.answer_rows import AnswerRecord, BorderRecord, ClassEditRecord, ImageAnswerRecord
from vaetui.storage.database import Database
from vaetui.storage.fingerprints import FileFingerprint
from vaetui.storage.image_answer_log import ImageAnswerLog
from vaetui.storage.journal import Change

ActionState: TypeAlias = Literal["active", "undone"]
UserAction: TypeAlias = AnswerRecord | ImageAnswerRecord | BorderRecord | ClassEditRecord
"""A part of a step, the unit of undo and redo."""
RoundAnswer: TypeAlias = tuple[int, ClusterPath, Answer]
"""The round of a cluster, its path, and the answer."""
ImageWithOrigin: TypeAlias = tuple[AnsweredImage, ImageAnswerOrigin]
"""An image with its answer, and where that was given."""
TABLES = ("answer", "image_answer", "class_border", "class_edit")
"""The tables of the log."""


class AnswerLog:
    """The tables of actions, with one sequence of ids; each method returns after its change is on disk."""

    def __init__(self, database: Database) -> None:
        """Use the tables of that database."""
        self._database = database
        self._image_log = ImageAnswerLog(database)

    def next_action_id(self) -> int:
        """Return the id of the next action."""
        last_ids = ", ".join(f"(SELECT ifnull(max(id), 0) FROM {table})" for table in TABLES)
        return int(self._database.fetch_all(f"SELECT max({last_ids}) + 1")[0][0])

    def record_step(
        self,
        made_in_round: int,
        answers: Sequence[RoundAnswer] = (),
        class_edits: Sequence[ClassEdit] = (),
        images: Sequence[ImageWithOrigin] = (),
        borders: Sequence[tuple[int, int]] = (),
        *,
        extended_step_id: int | None = None,
        fingerprints: Iterable[FileFingerprint] = (),
    ) -> list[UserAction]:
        """Record class edits and then answers as one step, or as part of a step, with the files that belong to them.

        `borders` are classes, each with the number of images beyond its border. Undone actions of the round can no
        longer be redone.
        """
        next_id, created_at = self.next_action_id(), time.time()
        step_id = next_id if extended_step_id is None else extended_step_id
        actions: list[UserAction] = [
            ClassEditRecord(action_id, step_id, class_edit) for action_id, class_edit in enumerate(class_edits, next_id)
        ]
        for action_id, (round_number, path, answer) in enumerate(answers, next_id + len(actions)):
            actions.append(AnswerRecord(action_id, step_id, round_number, made_in_round, path, answer, created_at))
        image_records = [
            ImageAnswerRecord(action_id, step_id, made_in_round, image, origin, created_at)
            for action_id, (image, origin) in enumerate(images, next_id + len(actions))
        ]
        actions += image_records
        for action_id, (class_id, image_count) in enumerate(borders, next_id + len(actions)):
            actions.append(BorderRecord(action_id, step_id, made_in_round, class_id, image_count, created_at))
        discarded_tables = TABLES if self._image_log.has_undone_rows() else ("answer", "class_edit")
        discards: list[Change] = [(f"discard_undone_{table}s", (made_in_round,)) for table in discarded_tables]
        rows = [_build_row(action, made_in_round, created_at) for action in actions]
        self._database.apply_changes(*discards, *rows, *build_add_file_changes(fingerprints))
        self._image_log.add(image_records, made_in_round)
        return actions

    def record_undo(self, step_id: int) -> None:
        """Record that all actions of a step were undone."""
        self._set_state(step_id, "undone")

    def record_redo(self, step_id: int) -> None:
        """Record that all actions of an undone step are active again."""
        self._set_state(step_id, "active")

    def list_actions(self, made_in_round: int, state: ActionState = "active") -> list[UserAction]:
        """Return what was done in a round and has that state, oldest first."""
        condition, parameters = "{} = ? AND state = ?", (made_in_round, state)
        actions: list[UserAction] = [
            *self._query_answers(condition.format("made_in_round"), parameters),
            *self._image_log.list_made_in_round(made_in_round, state),
            *self._image_log.list_borders_made_in_round(made_in_round, state),
            *self._query_class_edits(condition.format("round_number"), parameters),
        ]
        return sorted(actions, key=lambda action: action.id)

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

    def list_nearest_image_answers(self, last_round: int | None = None) -> list[tuple[int, NearestImageAnswer]]:
        """Return the answers in force about the nearest images of clusters with their ids, in entry order.

        Only those made up to a round count, or all.
        """
        if not self._database.fetch_all("SELECT 1 FROM answer WHERE kind = 'nearest' AND state = 'active' LIMIT 1"):
            return []
        records = self.list_effective_answers(last_round)
        return [(record.id, record.answer) for record in records if isinstance(record.answer, NearestImageAnswer)]

    def list_image_answers(self, last_round: int | None = None) -> list[ImageAnswerRecord]:
        """Return the answers about single images in force, by those made up to a round or by all, in entry order."""
        return self._image_log.list_in_force(last_round)

    def list_borders(self, last_round: int | None = None) -> list[BorderRecord]:
        """Return the borders of classes made up to a round, or all of them, oldest first; undone ones are left out."""
        return self._image_log.list_borders(last_round)

    def list_all_borders(self) -> list[BorderRecord]:
        """Return all borders whose files belong to the session, undone ones included."""
        return self._image_log.list_all_borders()

    def list_class_edits(self, last_round: int | None = None) -> list[ClassEditRecord]:
        """Return the active class edits up to the end of a round, or all of them, oldest first."""
        condition = "state = 'active' AND (? IS NULL OR round_number <= ?)"
        return self._query_class_edits(condition, (last_round, last_round))

    def list_action_times(self, round_number: int) -> list[float]:
        """Return when the actions of a round were recorded, in seconds since 1970, in the order of entry."""
        columns = {table: "round_number" if table == "class_edit" else "made_in_round" for table in TABLES}
        queries = (f"SELECT id, created_at FROM {table} WHERE {column} = ?" for table, column in columns.items())
        query = " UNION ALL ".join(queries) + " ORDER BY id"
        return [created_at for _, created_at in self._database.fetch_all(query, (round_number,) * len(TABLES))]

    def count_answers_by_class(self, last_round: int | None = None) -> dict[int, int]:
        """Return the number of answers in force by class id, made up to a round or all; class edits are not applied."""
        counts = dict(self._image_log.summarise(last_round).counts_by_class)
        for record in self.list_effective_answers(last_round):
            if (class_id := find_answer_class(record.answer)) is not None:
                counts[class_id] = counts.get(class_id, 0) + 1
        return counts

    def find_last_answered_round(self) -> int:
        """Return the last round with an answer in force for a cluster, 0 if there is none.

        If all answers are about single images, return the last round in which one was given, or the last round of all.
        """
        if records := self.list_effective_answers():
            return max(record.round_number for record in records)
        last_made_in_round = max((record.made_in_round for record in self.list_image_answers()), default=0)
        (row,) = self._database.fetch_all("SELECT count(*) FROM labelling_round")
        return min(last_made_in_round, int(row[0]))

    def count_answers(self) -> int:
        """Return the number of answers in force of all rounds.

        For clusters, they are classes, also of nearest images alone, unreadable clusters and splits; about single
        images, see `count_image_answers`.
        """
        return len(self.list_effective_answers()) + self.count_image_answers()

    def count_image_answers(self) -> int:
        """Return the number of answers in force about single images: of a page, 1 and 1 more for each correction.

        The border of a class is one answer, too.
        """
        return self._image_log.summarise().answer_count + len(self.list_borders())

    def list_image_class_ids(self, last_round: int | None = None) -> frozenset[int]:
        """Return the classes that the answers in force about single images name; class edits are not applied."""
        return frozenset(self._image_log.summarise(last_round).counts_by_class)

    def _query_answers(self, condition: str, parameters: tuple[object, ...]) -> list[AnswerRecord]:
        query = (
            "SELECT id, step_id, round_number, made_in_round, cluster_path, created_at, kind, class_id, confidence, "
            f"part_count, image_index FROM answer WHERE {condition} ORDER BY id"
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
        self._database.apply_changes(*((f"set_{table}_state", (state, step_id)) for table in TABLES))
        self._image_log.forget()


def build_add_file_changes(fingerprints: Iterable[FileFingerprint]) -> Iterator[Change]:
    """Yield the changes that add files to the session."""
    return (("artifact", fingerprint) for fingerprint in fingerprints)


def _build_row(action: UserAction, made_in_round: int, created_at: float) -> Change:
    if isinstance(action, ClassEditRecord):
        columns = answer_rows.to_class_edit_columns(action.class_edit)
        return "class_edit", (action.id, action.step_id, made_in_round, *columns, "active", created_at)
    if isinstance(action, ImageAnswerRecord):
        image = action.image
        image_columns = image.image_index, *answer_rows.to_image_answer_columns(image.answer), image.shown_class_id
        row = action.id, action.step_id, made_in_round, *image_columns, action.origin, "active", created_at
        return "image_answer", row
    if isinstance(action, BorderRecord):
        border_columns = action.class_id, action.image_count
        return "class_border", (action.id, action.step_id, made_in_round, *border_columns, "active", created_at)
    ids = action.id, action.step_id, action.round_number, made_in_round
    answer_columns = answer_rows.to_answer_columns(action.answer)
    return "answer", (*ids, format_path(action.path), *answer_columns, "active", created_at)

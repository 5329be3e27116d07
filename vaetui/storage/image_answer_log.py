"""Answers about single images and borders of classes in the order of entry, kept in memory once they were read."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vaetui.engine.answers import AnsweredImage, ClassAnswer, Cleared
from vaetui.storage import answer_rows
from vaetui.storage.answer_rows import BorderRecord, ImageAnswerRecord
from vaetui.storage.database import Database

TABLES = ("image_answer", "class_border")
"""The tables of the log."""


@dataclass(frozen=True, slots=True)
class AnswerSummary:
    """The number of answers about single images: of a page, 1 for the accepted rest and 1 for each correction."""

    answer_count: int
    """Number of answers; a page that shows several classes is one page, but an audit has a page for each class."""
    counts_by_class: Mapping[int, int]
    """Number of answers by class id; class edits are not applied."""


class ImageAnswerLog:
    """The tables image_answer and class_border; reading them again for each key would take too long."""

    def __init__(self, database: Database) -> None:
        """Read nothing yet."""
        self._database = database
        self._lock = threading.RLock()  # a worker reads while the screen records
        self._active_records: list[ImageAnswerRecord] | None = None
        self._records_in_force: dict[int | None, list[ImageAnswerRecord]] = {}
        self._summaries: dict[int | None, AnswerSummary] = {}
        self._has_undone_rows: bool | None = None

    def has_undone_rows(self) -> bool:
        """Return whether a step with images or a border was undone and can be redone; few journal entries need it."""
        with self._lock:
            if self._has_undone_rows is None:
                query = " UNION ALL ".join(f"SELECT 1 FROM {table} WHERE state = 'undone'" for table in TABLES)
                self._has_undone_rows = bool(self._database.fetch_all(f"{query} LIMIT 1"))
            return self._has_undone_rows

    def add(self, records: Sequence[ImageAnswerRecord], made_in_round: int) -> None:
        """Take over records that were just stored; undone rows of the round were discarded."""
        with self._lock:
            self._has_undone_rows = None if self._has_undone_rows else self._has_undone_rows
            if records:
                for cache in (self._records_in_force, self._summaries):
                    for last_round in list(cache):  # what ended rounds contain does not change
                        if last_round is None or last_round >= made_in_round:
                            del cache[last_round]
            if self._active_records is not None:
                self._active_records += records

    def forget(self) -> None:
        """Read everything again at the next query, because steps were undone or redone."""
        with self._lock:
            self._active_records = self._has_undone_rows = None
            self._records_in_force.clear()
            self._summaries.clear()

    def list_in_force(self, last_round: int | None = None) -> list[ImageAnswerRecord]:
        """Return the answers in force, by those made up to a round or by all, in the order of entry.

        The last answer about an image counts; none of them is `Cleared`.
        """
        with self._lock:
            if last_round not in self._records_in_force:
                if self._active_records is None:
                    self._active_records = self._query("state = 'active'")
                records: dict[int, ImageAnswerRecord] = {}
                for record in self._active_records:
                    if last_round is None or record.made_in_round <= last_round:
                        records.pop(record.image.image_index, None)
                        records[record.image.image_index] = record
                self._records_in_force[last_round] = [
                    record for record in records.values() if not isinstance(record.image.answer, Cleared)
                ]
            return self._records_in_force[last_round]

    def summarise(self, last_round: int | None = None) -> AnswerSummary:
        """Return the number of answers in force, by those made up to a round or by all."""
        with self._lock:
            if last_round not in self._summaries:
                self._summaries[last_round] = _summarise(self.list_in_force(last_round))
            return self._summaries[last_round]

    def list_made_in_round(self, made_in_round: int, state: str) -> list[ImageAnswerRecord]:
        """Return the answers that were made in a round and have that state, oldest first."""
        return self._query("made_in_round = ? AND state = ?", (made_in_round, state))

    def list_borders(self, last_round: int | None = None) -> list[BorderRecord]:
        """Return the active borders made up to a round, or all of them, oldest first."""
        condition = "state = 'active' AND (? IS NULL OR made_in_round <= ?)"
        return self._query_borders(condition, (last_round, last_round))

    def list_all_borders(self) -> list[BorderRecord]:
        """Return all borders whose files belong to the session, undone ones included."""
        return self._query_borders("true")

    def list_borders_made_in_round(self, made_in_round: int, state: str) -> list[BorderRecord]:
        """Return the borders that were recorded in a round and have that state, oldest first."""
        return self._query_borders("made_in_round = ? AND state = ?", (made_in_round, state))

    def _query(self, condition: str, parameters: tuple[object, ...] = ()) -> list[ImageAnswerRecord]:
        query = (
            "SELECT id, step_id, made_in_round, image_index, kind, class_id, shown_class_id, origin, created_at "
            f"FROM image_answer WHERE {condition} ORDER BY id"
        )
        return [
            ImageAnswerRecord(
                action_id,
                step_id,
                made_in_round,
                AnsweredImage(image_index, answer_rows.parse_image_answer(kind, class_id), shown_class_id),
                origin,
                created_at,
            )
            for action_id, step_id, made_in_round, image_index, kind, class_id, shown_class_id, origin, created_at in (
                self._database.fetch_all(query, parameters)
            )
        ]

    def _query_borders(self, condition: str, parameters: tuple[object, ...] = ()) -> list[BorderRecord]:
        query = (
            "SELECT id, step_id, made_in_round, class_id, image_count, created_at FROM class_border "
            f"WHERE {condition} ORDER BY id"
        )
        return [BorderRecord(*row) for row in self._database.fetch_all(query, parameters)]


def _summarise(records: Sequence[ImageAnswerRecord]) -> AnswerSummary:
    counts, others = Counter[int](), 0
    pages, class_pages = set[tuple[int, int | None]](), set[tuple[int, int]]()
    for record in records:
        answer = record.image.answer
        if not record.is_accepted:
            others += 1
        if isinstance(answer, ClassAnswer):
            if record.is_accepted:
                # A page of a review may mix classes; the learned checks of an audit are one step of several pages.
                pages.add((record.step_id, answer.class_id if record.origin == "audit" else None))
                class_pages.add((record.step_id, answer.class_id))
            else:
                counts[answer.class_id] += 1
    counts.update(class_id for _, class_id in class_pages)
    return AnswerSummary(len(pages) + others, counts)

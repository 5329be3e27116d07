"""Answers about single images and borders of classes in the order of entry, kept in memory once they were read."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence

from vaetui.engine.answers import AnsweredImage, ClassAnswer, Cleared
from vaetui.storage import answer_rows
from vaetui.storage.answer_rows import BorderRecord, ImageAnswerRecord
from vaetui.storage.database import Database


class ImageAnswerLog:
    """The tables image_answer and class_border; reading them again for each key would take too long."""

    def __init__(self, database: Database) -> None:
        """Read nothing yet."""
        self._database = database
        self._lock = threading.RLock()  # a worker reads while the screen records
        self._active_records: list[ImageAnswerRecord] | None = None
        self._records_in_force: dict[int | None, list[ImageAnswerRecord]] = {}

    def add(self, records: Sequence[ImageAnswerRecord]) -> None:
        """Take over records that were just stored."""
        with self._lock:
            for record in records[:1]:  # what ended rounds contain does not change
                cached = self._records_in_force.items()
                self._records_in_force = {
                    last_round: in_force
                    for last_round, in_force in cached
                    if last_round is not None and last_round < record.made_in_round
                }
            if self._active_records is not None:
                self._active_records += records

    def forget(self) -> None:
        """Read everything again at the next query, because steps were undone or redone."""
        with self._lock:
            self._active_records = None
            self._records_in_force.clear()

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


def count_answers(records: Iterable[ImageAnswerRecord]) -> int:
    """Return how many answers gave these labels: of a page, one for the accepted rest and one for each correction.

    Two classes side by side are one page.
    """
    pages, others = set[tuple[int, int | None]](), 0
    for record in records:
        if record.is_accepted:
            pages.add((record.step_id, None if record.origin == "pair" else record.image.shown_class_id))
        else:
            others += 1
    return len(pages) + others


def count_answers_by_class(records: Iterable[ImageAnswerRecord]) -> Counter[int]:
    """Return the number of answers by class id, counted as in `count_answers`; class edits are not applied."""
    counts, pages = Counter[int](), set[tuple[int, int]]()
    for record in records:
        if isinstance(answer := record.image.answer, ClassAnswer):
            if not record.is_accepted:
                counts[answer.class_id] += 1
            elif (record.step_id, answer.class_id) not in pages:
                pages.add((record.step_id, answer.class_id))
                counts[answer.class_id] += 1
    return counts

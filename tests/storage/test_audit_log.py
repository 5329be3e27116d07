"""Audits and checks are on disk when a method returns, with undo and redo over restarts."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storage.recording import record_audit
from vaetui.engine.answers import ClassAnswer, Cleared, Unreadable
from vaetui.engine.config import Config
from vaetui.errors import UserError
from vaetui.storage import file_names
from vaetui.storage.repository import SessionRepository


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[SessionRepository]:
    with contextlib.closing(SessionRepository.create(tmp_path, Config(), "mnist", (640, 28, 28))) as repository:
        yield repository


def test_checks_are_read_by_another_process_in_the_order_of_entry(
    repository: SessionRepository, tmp_path: Path
) -> None:
    record = record_audit(repository, 1)
    repository.audit_log.record_checks(1, [(0, ClassAnswer(2)), (1, Unreadable())])
    repository.audit_log.record_checks(1, [(0, Cleared())])
    with contextlib.closing(SessionRepository(tmp_path)) as reader:
        assert reader.audit_log.list_audits() == [record]
        checks = [(item.step_id, item.position, item.check) for item in reader.audit_log.list_checks(1)]
    assert checks == [(1, 0, ClassAnswer(2)), (1, 1, Unreadable()), (3, 0, Cleared())]


def test_a_key_taken_back_is_counted_and_cannot_be_restored_after_another_one(repository: SessionRepository) -> None:
    record = record_audit(repository, 1)
    log = repository.audit_log
    step_id = log.record_checks(1, [(0, ClassAnswer(2)), (1, ClassAnswer(2))])
    log.record_undo(record, step_id)
    assert [item.position for item in log.list_checks(1, "undone")] == [0, 1]
    log.record_redo(step_id)
    assert [item.position for item in log.list_checks(1)] == [0, 1]
    log.record_undo(record, step_id)
    log.record_checks(1, [(0, ClassAnswer(1))])
    assert (log.list_checks(1, "undone"), log.count_keys(1)) == ([], 2)
    log.record_redo(step_id)
    assert [item.check for item in log.list_checks(1)] == [ClassAnswer(1)]


def test_undo_after_the_end_opens_the_audit_again(repository: SessionRepository) -> None:
    record_audit(repository, 1)
    step_id = repository.audit_log.record_checks(1, [(0, ClassAnswer(2))])
    repository.audit_log.record_end(1, 9.5, "{}", None)
    (finished,) = repository.audit_log.list_audits()
    assert (finished.state, finished.ended_at, finished.result_text) == ("finished", 9.5, "{}")
    repository.audit_log.record_undo(finished, step_id)
    (reopened,) = repository.audit_log.list_audits()
    assert (reopened.state, reopened.ended_at, reopened.result_text) == ("open", None, None)


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE audit SET version = 'not a hash12'",
        "UPDATE audit SET state = 'finished'",
        "UPDATE audit SET image_count = 100000",
        "UPDATE audit SET id = 7",
        "UPDATE audit_check SET position = 6",
        "UPDATE audit_check SET audit_id = 9",
        "UPDATE audit_check SET class_id = 300",
        "UPDATE audit_check SET kind = 'unreadable'",
    ],
)
def test_a_forged_row_is_refused_in_one_sentence(repository: SessionRepository, tmp_path: Path, forgery: str) -> None:
    record_audit(repository, 1)
    repository.audit_log.record_checks(1, [(0, ClassAnswer(2))])
    with contextlib.closing(sqlite3.connect(file_names.database_path(tmp_path))) as connection:
        connection.execute(forgery)
        connection.commit()
    with pytest.raises(UserError, match=r"is damaged \(invalid row in table audit"):
        SessionRepository(tmp_path)

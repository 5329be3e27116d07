"""Damage to every region of database and journal is repaired, and never changes what a session contains."""

from __future__ import annotations

import contextlib
import math
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.storage.recording import record_answer, record_audit, record_border, record_class_edit, record_page
from vaetui.engine.answers import AnsweredImage, ClassAnswer, Cleared, Split, Unreadable
from vaetui.engine.classes import AddClass, MergeClass, RenameClass
from vaetui.engine.config import Config
from vaetui.engine.events import BatchesTrained, Clustered, EpochEnded, Losses
from vaetui.errors import UserError
from vaetui.storage import database, file_names
from vaetui.storage.data_record import DataRecord
from vaetui.storage.fingerprints import compute_fingerprint
from vaetui.storage.recovery import verify_database
from vaetui.storage.repository import SessionRepository
from vaetui.storage.row_checks import ROW_CONDITIONS

DATABASE, JOURNAL = file_names.DATABASE_NAME, file_names.JOURNAL_NAME
ARTIFACT_NAME = "round-001.npz"
PAGE_BYTES = 4096
FILE_HEADER_BYTES, PAGE_HEADER_BYTES = 100, 12
SLOW = [pytest.mark.slow, pytest.mark.timeout(1_800)]
Tables = dict[str, list[Any]]


@dataclass(frozen=True)
class StoredSession:
    """A session directory with rows in every table."""

    directory: Path
    tables: Tables
    """The rows before any damage."""

    @property
    def database(self) -> Path:
        return self.directory / DATABASE

    @property
    def journal(self) -> Path:
        return self.directory / JOURNAL

    def find_damage(self) -> list[str]:
        """Repair the session and return the names of the damaged files."""
        return [finding.file_name for finding in verify_database(self.directory, repair=True)]

    def read_tables(self) -> Tables:
        return read_tables(self.directory)

    def require_right_or_refused_reading(self) -> None:
        """Open the session read-only: the content has to be right unless one sentence refuses it."""
        try:
            SessionRepository(self.directory).close()
        except UserError as error:
            assert "\n" not in str(error)
            assert str(error).isprintable()
        else:
            assert drop_entry_number(self.read_tables()) == drop_entry_number(self.tables)

    def restore(self, contents: dict[str, bytes]) -> None:
        for name in (DATABASE, JOURNAL):
            (self.directory / name).write_bytes(contents[name])
        shutil.rmtree(file_names.quarantine_directory(self.directory), ignore_errors=True)

    def read_contents(self) -> dict[str, bytes]:
        return {name: (self.directory / name).read_bytes() for name in (DATABASE, JOURNAL)}


def read_tables(directory: Path) -> Tables:
    with contextlib.closing(sqlite3.connect(directory / DATABASE)) as connection:
        return database.read_all_tables(connection)


def drop_entry_number(tables: Tables) -> Tables:
    """Return the tables without the number of the last journal entry, which is no content of the session."""
    return {**tables, "meta": [row for row in tables["meta"] if row[0] != "last_entry_number"]}


def create_session(directory: Path, seed: int) -> StoredSession:
    """Create a session with rows in every table, and a file that its table of artifacts lists."""
    directory.mkdir()
    content = b"content %d" % seed
    (directory / ARTIFACT_NAME).write_bytes(content)
    record = DataRecord(class_names=("cat", "dog"))
    config = Config(seed=seed)
    repository = SessionRepository.create(directory, config, f"/data/{seed}", (640, 28, 28), record)
    with contextlib.closing(repository):
        repository.record_data_digests({"train_labels": "ab" * 32})
        events = [BatchesTrained(1, step, 10, Losses(1.5, 2.25, float(seed)), 99.5, 0.125) for step in (10, 20)]
        repository.record_training(events, compute_fingerprint("checkpoint-001-000020.safetensors", b"networks"))
        repository.record_epoch(EpochEnded(1, Losses(1.0, 2.0, 3.0), 0.5, 0.25, 0.75, 3, 12.5, None, 0.125, 0.5))
        repository.record_reading_answers(1, 0, [1, None, 0], 0.5)
        repository.record_round_start(Clustered(1, 5, ((4, 2.5),)), compute_fingerprint(ARTIFACT_NAME, content))
        for index in range(12):
            record_answer(repository, 1, (index,), ClassAnswer(index % 2, index / 20))
        record_class_edit(repository, 1, AddClass(2, f"bird {seed}"))
        record_class_edit(repository, 1, MergeClass(0, 1))
        record_class_edit(repository, 1, RenameClass(1, "animal"))
        record_page(repository, 1, *(AnsweredImage(index, ClassAnswer(1), 1 - index % 2) for index in range(6)))
        record_page(repository, 1, AnsweredImage(2, Unreadable()), AnsweredImage(3, Cleared(), 0), origin="audit")
        record_border(repository, 1, 1, 40)
        record_border(repository, 1, 0, 3)
        for audit_id in (1, 2):
            record_audit(repository, audit_id, plan="quick" if audit_id == 1 else "full")
            step_ids = [
                repository.audit_log.record_checks(audit_id, [(position, ClassAnswer(1)), (position + 1, Unreadable())])
                for position in (0, 2, 4)
            ]
            repository.audit_log.record_redo(step_ids[0])
            repository.audit_log.record_undo(repository.audit_log.list_audits()[-1], step_ids[-1])
            repository.audit_log.record_end(audit_id, 7.5, '{"estimate": 0.5}', '{"slopes": [1.0]}')
        record_answer(repository, 1, (3,), Unreadable())
        record_answer(repository, 1, (4,), Split(3))
        repository.record_undo(repository.list_actions(1)[-1].step_id)
        repository.record_round_end(1)
    return StoredSession(directory, read_tables(directory))


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> list[StoredSession]:
    """Two sessions that tests must not change."""
    directory = tmp_path_factory.mktemp("templates")
    return [create_session(directory / f"session-{seed}", seed) for seed in (3, 4)]


@pytest.fixture
def sessions(templates: list[StoredSession], tmp_path: Path) -> list[StoredSession]:
    copies = [Path(shutil.copytree(template.directory, tmp_path / template.directory.name)) for template in templates]
    return [StoredSession(copy, template.tables) for copy, template in zip(copies, templates, strict=True)]


@pytest.fixture
def session(sessions: list[StoredSession]) -> StoredSession:
    return sessions[0]


def list_database_positions(content: bytes, stride: int) -> list[int]:
    """Return positions in the header of the file and of each page, and every `stride`-th used byte of each page."""
    positions = {*range(FILE_HEADER_BYTES + PAGE_HEADER_BYTES)}
    for start in range(0, len(content), PAGE_BYTES):
        positions.update(range(start, start + PAGE_HEADER_BYTES))
        used = [index for index in range(start, start + PAGE_BYTES) if content[index]]
        positions.update([*used[::stride], *used[-1:]])
    return sorted(positions)


def flip_bit(content: bytes, position: int) -> bytes:
    flipped = content[position] ^ (1 << position % 8)
    return content[:position] + bytes([flipped]) + content[position + 1 :]


def iter_journal_damages(content: bytes, stride: int) -> Iterator[bytes]:
    """Yield the journal damaged at every `stride`-th line.

    One bit is flipped in each region of the line, the journal is cut before and in the line, and lines change places.
    """
    lines = content.splitlines(keepends=True)
    start = 0
    for number, line in enumerate(lines):
        if number % stride:
            start += len(line)
            continue
        for offset in (0, 7, 8, 9, 10, len(line) // 2, len(line) - 2, len(line) - 1):
            yield flip_bit(content, start + offset)
        yield content[:start]
        yield content[: start + len(line) // 2]
        yield b"".join(lines[:number] + lines[number + 1 :])
        yield b"".join([*lines[: number + 1], line, *lines[number + 1 :]])
        if number:
            yield b"".join([*lines[: number - 1], line, lines[number - 1], *lines[number + 1 :]])
        start += len(line)
    yield bytes(len(content))
    yield content + b"more"


def change_value(value: Any) -> Any:
    """Return a value of the same type that differs as little as possible."""
    if isinstance(value, str):
        return chr(ord(value[0]) ^ 1) + value[1:]
    return 0 if value is None else math.nextafter(value, math.inf) if isinstance(value, float) else value ^ 1


@pytest.mark.parametrize("stride", [97, pytest.param(7, marks=SLOW)])
def test_flipped_bit_in_any_region_of_the_database_is_repaired(session: StoredSession, stride: int) -> None:
    contents = session.read_contents()
    positions = list_database_positions(contents[DATABASE], stride)
    assert {position // PAGE_BYTES for position in positions} == {*range(len(contents[DATABASE]) // PAGE_BYTES)}
    found_count = 0
    for position in positions:
        session.database.write_bytes(flip_bit(contents[DATABASE], position))
        session.require_right_or_refused_reading()
        found_count += session.find_damage() == [DATABASE]
        assert drop_entry_number(session.read_tables()) == drop_entry_number(session.tables), position
        assert session.find_damage() == [], position
        session.restore(contents)
    assert found_count > len(positions) // 2  # SQLite does not use every byte of a page


@pytest.mark.parametrize(
    ("pattern", "replacement"), [(b"last_entry_number", b"last_e\xeetry_number"), (b"active", b"actixe")]
)
def test_table_that_differs_from_its_index_is_repaired(
    session: StoredSession, pattern: bytes, replacement: bytes
) -> None:
    """A query may read a value from the table or from an index: each occurrence in the file is damaged alone."""
    contents = session.read_contents()
    content, start, case_count = contents[DATABASE], 0, 0
    with contextlib.closing(SessionRepository(session.directory)) as repository:
        actions = repository.list_actions(1)
    while (start := content.find(pattern, start)) >= 0 and case_count < 60:
        session.database.write_bytes(content[:start] + replacement + content[start + len(pattern) :])
        session.require_right_or_refused_reading()
        session.find_damage()
        assert session.read_tables() == session.tables, start
        with contextlib.closing(SessionRepository(session.directory)) as repository:
            assert repository.list_actions(1) == actions, start
        session.restore(contents)
        start, case_count = start + 1, case_count + 1
    assert case_count > 1


def test_database_truncated_in_any_page_is_repaired(session: StoredSession) -> None:
    contents = session.read_contents()
    for page_start in range(0, len(contents[DATABASE]), PAGE_BYTES):
        for size in (page_start, page_start + 1, page_start + FILE_HEADER_BYTES, page_start + PAGE_BYTES // 2):
            session.database.write_bytes(contents[DATABASE][:size])
            session.require_right_or_refused_reading()
            assert session.find_damage() == [DATABASE], size
            assert session.read_tables() == session.tables, size
            session.restore(contents)


def test_change_of_any_column_of_any_row_is_repaired(session: StoredSession) -> None:
    contents, case_count = session.read_contents(), 0
    assert all(session.tables[table] for table in ROW_CONDITIONS)
    for table, rows in session.tables.items():
        with contextlib.closing(sqlite3.connect(session.database)) as connection:
            columns = [column[1] for column in connection.execute(f"PRAGMA table_info({table})")]
            row_ids = [row_id for (row_id,) in connection.execute(f"SELECT rowid FROM {table} ORDER BY 1")]
        assert len(row_ids) == len(rows)
        for column in columns:
            for row_id in (row_ids[0], row_ids[len(row_ids) // 2], row_ids[-1]):
                with contextlib.closing(sqlite3.connect(session.database)) as connection:
                    connection.execute("PRAGMA ignore_check_constraints = ON")
                    query = f"SELECT {column} FROM {table} WHERE rowid = ?"
                    (value,) = connection.execute(query, (row_id,)).fetchone()
                    with contextlib.suppress(sqlite3.IntegrityError):
                        statement = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"
                        connection.execute(statement, (change_value(value), row_id))
                    connection.commit()
                if session.read_tables() == session.tables:
                    continue  # the value has to be unique or not null
                case_count += 1
                session.require_right_or_refused_reading()
                damaged = session.find_damage()
                assert damaged, (table, column, row_id)
                assert drop_entry_number(session.read_tables()) == drop_entry_number(session.tables)
                session.restore(contents)
    assert case_count > 100


def test_deleted_or_added_rows_are_repaired(session: StoredSession) -> None:
    contents = session.read_contents()
    for table, rows in session.tables.items():
        for statement in (
            f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})",
            f"DELETE FROM {table}",
        ):
            with contextlib.closing(sqlite3.connect(session.database)) as connection:
                connection.execute(statement)
                connection.commit()
            assert len(session.read_tables()[table]) < len(rows)
            session.require_right_or_refused_reading()
            assert session.find_damage()
            assert drop_entry_number(session.read_tables()) == drop_entry_number(session.tables)
            session.restore(contents)


@pytest.mark.parametrize("stride", [11, pytest.param(1, marks=SLOW)])
def test_damage_to_any_line_of_the_journal_is_repaired(session: StoredSession, stride: int) -> None:
    contents = session.read_contents()
    for number, damaged in enumerate(iter_journal_damages(contents[JOURNAL], stride)):
        session.journal.write_bytes(damaged)
        session.require_right_or_refused_reading()
        found = session.find_damage()
        # An incomplete line at the end is what a crash leaves.
        assert found == ([] if damaged.startswith(contents[JOURNAL]) else [JOURNAL]), number
        assert session.read_tables() == session.tables
        assert session.find_damage() == []
        session.database.unlink()
        assert session.find_damage() == [DATABASE]  # the repaired journal contains everything
        assert session.read_tables() == session.tables
        session.restore(contents)


@pytest.mark.parametrize("name", [DATABASE, JOURNAL])
def test_file_of_another_session_is_replaced(sessions: list[StoredSession], name: str) -> None:
    session, other = sessions
    shutil.copy(other.directory / name, session.directory / name)
    with pytest.raises(UserError, match=r"differs from journal\.log\. Repair it with: vaetui check session-3 --repair"):
        SessionRepository(session.directory)
    (finding,) = verify_database(session.directory, repair=False)
    other_name = JOURNAL if name == DATABASE else DATABASE
    assert str(finding) == f"{name} belongs to another session: rebuilt from {other_name}"
    assert session.find_damage() == [name]
    assert session.read_tables() == session.tables
    assert session.find_damage() == []
    assert (session.directory / "quarantine" / name).read_bytes() == (other.directory / name).read_bytes()


@pytest.mark.parametrize("name", [DATABASE, JOURNAL])
@pytest.mark.parametrize("has_more_changes", [False, True])
def test_older_file_of_the_same_session_loses_no_change(
    session: StoredSession, name: str, has_more_changes: bool
) -> None:
    older = (session.directory / name).read_bytes()
    with contextlib.closing(SessionRepository(session.directory, is_writable=True)) as repository:
        for index in range(1 + has_more_changes):
            record_answer(repository, 1, (20 + index,), ClassAnswer(1))
    tables = session.read_tables()
    (session.directory / name).write_bytes(older)
    assert session.find_damage() == ([] if name == DATABASE and not has_more_changes else [name])
    assert session.read_tables() == tables


def test_foreign_file_of_a_session_without_other_files_is_refused(sessions: list[StoredSession]) -> None:
    session, other = sessions
    shutil.copy(other.journal, session.journal)
    (session.directory / ARTIFACT_NAME).unlink()
    before = session.read_contents()
    with pytest.raises(UserError, match=r"belong to different sessions\. Replace one of them from a backup"):
        session.find_damage()
    assert session.read_contents() == before


def test_swapped_database_and_journal_are_refused_and_left_unchanged(session: StoredSession) -> None:
    contents = session.read_contents()
    session.database.write_bytes(contents[JOURNAL])
    session.journal.write_bytes(contents[DATABASE])
    with pytest.raises(UserError, match="Restore either from a backup"):
        session.find_damage()
    session.restore(contents)
    assert session.find_damage() == []


@pytest.mark.parametrize("name", [DATABASE, JOURNAL])
@pytest.mark.parametrize("other_name", [ARTIFACT_NAME])
def test_database_or_journal_replaced_by_another_file_of_the_session_is_repaired(
    session: StoredSession, name: str, other_name: str
) -> None:
    shutil.copy(session.directory / other_name, session.directory / name)
    assert session.find_damage() == [name]
    assert session.read_tables() == session.tables


def test_reading_while_another_process_writes_is_never_refused(session: StoredSession) -> None:
    with contextlib.closing(SessionRepository(session.directory, is_writable=True)) as writer:
        for index in range(5):
            contents = session.read_contents()
            record_answer(writer, 1, (30 + index,), ClassAnswer(1))
            SessionRepository(session.directory).close()
            journal = session.journal.read_bytes()
            session.database.write_bytes(contents[DATABASE])  # the moment between the two writes
            SessionRepository(session.directory).close()
            assert session.find_damage() == []
            assert session.journal.read_bytes() == journal

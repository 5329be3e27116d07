"""Tests that database and journal are rebuilt from each other without losing or inventing a change."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.small_disk import fill_disk, mount_small_disk
from tests.storage.recording import record_answer, record_class_edit
from vaetui.engine.answers import Answer, ClassAnswer, Unreadable
from vaetui.engine.classes import AddClass, MergeClass, RenameClass
from vaetui.engine.config import Config
from vaetui.engine.events import Clustered
from vaetui.errors import UserError
from vaetui.storage import file_names, journal
from vaetui.storage.answer_log import UserAction
from vaetui.storage.answer_rows import AnswerRecord
from vaetui.storage.fingerprints import compute_fingerprint
from vaetui.storage.recovery import verify_database
from vaetui.storage.repository import SessionRepository
from vaetui.storage.schema import FORMAT_VERSION

DATABASE, JOURNAL = file_names.DATABASE_NAME, file_names.JOURNAL_NAME
FILES = (DATABASE, JOURNAL)


@dataclass(frozen=True)
class StoredSession:
    """A session directory and what it holds."""

    directory: Path
    actions: list[UserAction]
    """The active actions of round 1."""

    @property
    def database(self) -> Path:
        return self.directory / DATABASE

    @property
    def journal(self) -> Path:
        return self.directory / JOURNAL

    def verify(self, repair: bool = True) -> list[str]:
        """Return the names of damaged files."""
        return [finding.file_name for finding in verify_database(self.directory, repair)]

    def list_actions(self) -> list[UserAction]:
        with self.open() as repository:
            return repository.list_actions(1)

    def list_answers(self) -> list[Answer]:
        return [action.answer for action in self.list_actions() if isinstance(action, AnswerRecord)]

    @contextlib.contextmanager
    def open(self, is_writable: bool = False) -> Iterator[SessionRepository]:
        with contextlib.closing(SessionRepository(self.directory, is_writable)) as repository:
            yield repository

    def execute_sql(self, statements: str) -> None:
        """Change the database without the program's own code."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            connection.executescript(statements)
            connection.commit()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> StoredSession:
    """Return a session that tests must not change."""
    directory = tmp_path_factory.mktemp("template")
    with contextlib.closing(SessionRepository.create(directory, Config(seed=3), "mnist", (640, 28, 28))) as repository:
        repository.record_round_start(Clustered(1, 5, ()), compute_fingerprint("round-001.npz", b"content"))
        record_class_edit(repository, 1, AddClass(10, "ten"))
        for index in range(20):
            record_answer(repository, 1, (index,), ClassAnswer(index % 11, index / 20))
        record_class_edit(repository, 1, MergeClass(4, 9))
        record_class_edit(repository, 1, RenameClass(9, "four or nine"))
        record_answer(repository, 1, (3,), Unreadable())
        repository.record_undo(repository.list_actions(1)[-1].step_id)
        return StoredSession(directory, repository.list_actions(1))


@pytest.fixture
def session(template: StoredSession, tmp_path: Path) -> StoredSession:
    shutil.copytree(template.directory, tmp_path / "session")
    return StoredSession(tmp_path / "session", template.actions)


def test_intact_files_are_left_unchanged(session: StoredSession) -> None:
    before = {name: (session.directory / name).read_bytes() for name in FILES}
    assert session.verify() == []
    assert {name: (session.directory / name).read_bytes() for name in FILES} == before


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("seed", range(12))
def test_flipped_bit_or_truncation_changes_no_answer(session: StoredSession, name: str, seed: int) -> None:
    draw = random.Random(f"{name} {seed}")
    content = bytearray((session.directory / name).read_bytes())
    if seed % 4:
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    else:
        del content[draw.randrange(len(content)) :]
    (session.directory / name).write_bytes(content)
    damaged = session.verify()
    assert damaged in ([name], [])  # SQLite leaves parts of pages unused
    assert session.list_actions() == session.actions
    assert session.verify() == []
    with session.open(is_writable=True) as repository:
        record_answer(repository, 1, (4, 2), Unreadable())
        assert len(repository.list_actions(1)) == len(session.actions) + 1
    assert session.verify() == []
    if damaged:
        assert (session.directory / "quarantine" / name).read_bytes() == content


@pytest.mark.parametrize("name", FILES)
def test_missing_file_is_rebuilt(session: StoredSession, name: str) -> None:
    (session.directory / name).unlink()
    assert session.verify(repair=False) == [name]
    assert not (session.directory / name).exists()
    assert session.verify() == [name]
    assert (session.directory / name).stat().st_mode & 0o777 == 0o600
    assert session.list_actions() == session.actions
    assert session.verify() == []


def test_changed_answer_in_a_valid_database_is_found(session: StoredSession) -> None:
    session.execute_sql(
        "UPDATE answer SET class_id = class_id + 1 WHERE id = 7;UPDATE class_edit SET target_class_id = 8 WHERE id = 22"
    )
    assert session.verify() == [DATABASE]
    assert session.list_actions() == session.actions


def test_entry_that_a_crash_kept_from_the_database_is_applied_without_a_finding(session: StoredSession) -> None:
    before = session.database.read_bytes()
    with session.open(is_writable=True) as repository:
        record_answer(repository, 1, (9,), ClassAnswer(4))
    session.database.write_bytes(before)
    assert session.verify() == []
    assert session.list_answers()[-1] == ClassAnswer(4)
    with session.journal.open("ab") as file:
        file.write(b'1234abcd [99,[["answ')  # a crash in the middle of a line
    assert session.verify() == []
    assert journal.scan_journal(session.journal).intact_bytes == session.journal.stat().st_size
    assert len(session.list_actions()) == len(session.actions) + 1


def test_failed_change_leaves_no_line_in_the_journal(session: StoredSession) -> None:
    size = session.journal.stat().st_size
    with session.open(is_writable=True) as repository:
        with pytest.raises(UserError):  # the id exists
            repository._database.apply_changes(("answer", (2, 2, 1, 1, "3", "class", 1, 1.0, None, "active", 1.0)))
        assert session.journal.stat().st_size == size
        assert record_answer(repository, 1, (8,), ClassAnswer(2)).id == len(session.actions) + 2
    assert session.verify() == []


def test_change_refused_by_a_full_disk_is_not_written_later(tmp_path: Path) -> None:
    with mount_small_disk(tmp_path, kilobytes=512) as disk:
        session = StoredSession(disk, [])
        repository = SessionRepository.create(disk, Config(), "mnist", (640, 28, 28))
        repository.record_round_start(Clustered(1, 5, ()))
        size = session.journal.stat().st_size
        # Fill the present page of the disk: the next line needs a new one.
        repository.record_round_start(Clustered(2, 5, tuple((k, 0.5) for k in range((4096 - size % 4096) // 8))))
        fill_disk(disk, 0)
        refused = 0
        for class_id in range(10):
            try:
                record_answer(repository, 1, (class_id,), ClassAnswer(class_id))
            except UserError:
                refused += 1
        fill_disk(disk, 64)
        record_answer(repository, 1, (3,), ClassAnswer(7))
        answers = repository.list_answers(1)
        assert repository.list_actions(1) == answers
        repository.close()
        assert refused > 0
        assert session.verify() == []
        assert session.list_actions() == answers
        assert answers[-1].answer == ClassAnswer(7)


def test_journal_without_its_beginning_is_rebuilt(session: StoredSession) -> None:
    lines = session.journal.read_bytes().splitlines(keepends=True)
    session.journal.write_bytes(b"".join(lines[1:]))
    assert session.verify() == [JOURNAL]
    with session.open() as repository:
        assert (repository.config.seed, repository.config.network.classes) == (3, 11)
    assert session.list_actions() == session.actions


@pytest.mark.parametrize("bit", [1, 2, 8])
def test_flipped_bit_in_the_format_version_is_repaired(session: StoredSession, bit: int) -> None:
    session.execute_sql(f"PRAGMA user_version = {FORMAT_VERSION ^ bit}")
    assert session.verify() == [DATABASE]
    assert session.list_actions() == session.actions


def test_newer_format_is_refused_and_left_unchanged(session: StoredSession) -> None:
    session.execute_sql(f"CREATE TABLE more (x); PRAGMA user_version = {FORMAT_VERSION ^ 16}")
    session.execute_sql("UPDATE answer SET class_id = 3 WHERE id = 7")
    before = session.database.read_bytes()
    with pytest.raises(UserError, match="made by a newer vaetui"):
        session.verify()
    assert session.database.read_bytes() == before


def test_damage_to_both_files_keeps_the_intact_changes_and_reports_the_loss(session: StoredSession) -> None:
    session.database.write_bytes(b"nothing")
    lines = session.journal.read_bytes().splitlines(keepends=True)
    lines[10] = lines[10].replace(b"class", b"clazz")
    session.journal.write_bytes(b"".join(lines))
    (finding,) = verify_database(session.directory, repair=True)
    assert "without 1 lost changes" in str(finding)
    assert len(session.list_actions()) == len(session.actions) - 1
    assert session.verify() == []


def test_loss_of_both_files_is_refused(session: StoredSession) -> None:
    session.database.write_bytes(b"nothing")
    session.journal.write_bytes(b"nothing")
    with pytest.raises(UserError, match="Restore either from a backup"):
        session.verify()


@pytest.mark.parametrize(
    "statements",
    [
        "CREATE TRIGGER harm AFTER INSERT ON answer BEGIN DELETE FROM answer; END",
        "CREATE VIEW harm AS SELECT * FROM answer",
        "CREATE TABLE harm (x)",
        "ALTER TABLE answer RENAME COLUMN class_id TO class",
        "ALTER TABLE answer ADD COLUMN more",
        "UPDATE answer SET cluster_path = '../..' WHERE id = 2",
        "UPDATE answer SET class_id = 'seven' WHERE id = 2",
        "UPDATE answer SET confidence = 9e99 WHERE id = 2",
        "UPDATE class_edit SET kind = 'add', class_id = 'ten' WHERE id = 1",
        "UPDATE class_edit SET class_name = '' WHERE id = 1",
        "UPDATE class_edit SET class_name = NULL WHERE id = 1",
        "UPDATE class_edit SET target_class_id = NULL WHERE id = 22",
        "UPDATE class_edit SET target_class_id = -1 WHERE id = 22",
        "UPDATE class_edit SET id = 7 WHERE id = 22",
        "UPDATE class_edit SET round_number = 2 WHERE id = 22",
        "DROP TABLE class_edit; CREATE VIEW class_edit AS SELECT 1 id",
        "CREATE TRIGGER harm AFTER INSERT ON class_edit BEGIN DELETE FROM answer; END",
        "UPDATE labelling_round SET round_number = 7",
        "UPDATE artifact SET name = '../../somewhere'",
    ],
)
def test_database_with_invalid_content_is_refused_and_rebuilt(session: StoredSession, statements: str) -> None:
    session.execute_sql(statements)
    with pytest.raises(UserError):
        SessionRepository(session.directory)
    assert session.verify() == [DATABASE]
    assert session.list_actions() == session.actions


@pytest.mark.parametrize(
    "change",
    [
        ("shell", ("rm",)),
        ("answer", ([],)),
        ("meta", ("last_entry_number", "x")),
        ("artifact", ()),
        ("class_edit", (1, 1)),
    ],
)
def test_forged_journal_entry_is_not_applied(session: StoredSession, change: journal.Change) -> None:
    last_number = journal.scan_journal(session.journal).last_number
    with session.journal.open("ab") as file:
        file.write(journal.format_line(journal.JournalEntry(last_number + 1, (change,))))
    session.verify()
    assert session.list_actions() == session.actions

"""Tests of session names and directories."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.command_line import assert_refused, run_vaetui
from vaetui.engine.config import Config
from vaetui.engine.events import Clustered
from vaetui.errors import UserError
from vaetui.storage import file_names, journal, locations
from vaetui.storage.repository import SessionRepository

pytestmark = pytest.mark.usefixtures("home")


def create_session(name: str) -> Path:
    with locations.create_session_atomically([name]) as (_, directory):
        file_names.database_path(directory).touch()
    return locations.find_session(name)


def create_older_session(name: str) -> Path:
    """Create the directory of a session from before format 1, with files of all its kinds."""
    directory = locations.sessions_directory() / name
    (directory / "damaged").mkdir(parents=True)
    for file_name in ("facts.db", "ledger.jsonl", "division.npz", "division.copy.npz", "found-001.npz", "lock"):
        (directory / file_name).write_bytes(b"old")
    return directory


def test_session_directory_is_private() -> None:
    assert create_session("mine").stat().st_mode & 0o777 == 0o700
    assert locations.sessions_directory().stat().st_mode & 0o777 == 0o700


def test_existing_name_is_refused() -> None:
    create_session("one")
    with pytest.raises(UserError, match=r"Session one already exists. Resume it with: vaetui resume one"):
        create_session("one")


def test_unknown_name_is_refused_with_similar_names() -> None:
    create_session("demo-mnist")
    with pytest.raises(UserError, match=r"There is no session demo-mnits. Did you mean demo-mnist\?"):
        locations.find_session("demo-mnits")
    with pytest.raises(UserError, match="List all with: vaetui sessions"):
        locations.find_session("quite-different")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=80) | st.sampled_from(["..", ".", "", "a/b", "../a", "/etc", "a\x00b", "-rf", "a\nb", "~"]))
def test_no_valid_name_leads_out_of_the_sessions_directory(name: str) -> None:
    try:
        valid_name = locations.require_valid_name(name)
    except UserError:
        return
    assert (locations.sessions_directory() / valid_name).parent == locations.sessions_directory()
    assert valid_name.isprintable()


def test_sessions_are_listed_by_last_use() -> None:
    assert locations.list_session_names() == []
    for time, name in enumerate(("b", "c", "a")):
        os.utime(file_names.database_path(create_session(name)), (time, time))
    assert locations.list_session_names() == ["a", "c", "b"]


def test_failed_creation_leaves_the_name_free() -> None:
    with pytest.raises(RuntimeError), locations.create_session_atomically(["half"]):
        raise RuntimeError
    assert locations.list_session_names() == []
    assert locations.is_name_free("half")
    (locations.sessions_directory() / ".half.unfinished").mkdir()  # left by a killed process
    assert locations.list_session_names() == []
    assert create_session("half").is_dir()


def test_deletion_leaves_the_name_free() -> None:
    create_session("gone")
    locations.remove_session("gone")
    assert locations.list_session_names() == []
    assert list(locations.sessions_directory().iterdir()) == []


@pytest.mark.parametrize(
    "command", [["resume", "old"], ["show", "old"], ["export", "old"], ["check", "old"], ["check", "old", "--repair"]]
)
def test_older_session_is_refused_and_left_unchanged(command: list[str], tmp_path: Path) -> None:
    directory = create_older_session("old")
    before = sorted(path.name for path in directory.iterdir())
    output = ["-o", str(tmp_path / "labels.csv")] if command[0] == "export" else []
    assert_refused(
        "Session old was made by an older vaetui in a format that this version cannot read. Open it with that version, "
        "or delete it with: vaetui delete old",
        *command,
        *output,
    )
    assert sorted(path.name for path in directory.iterdir()) == before


@pytest.mark.parametrize("missing", [["facts.db"], ["ledger.jsonl"], []])
def test_older_session_is_listed_as_such_and_can_be_deleted(missing: list[str]) -> None:
    directory = create_older_session("old")
    for name in missing:
        (directory / name).unlink()
    listing = " ".join(run_vaetui("sessions").stdout.split())
    assert "old" in listing
    assert "made by an older vaetui" in listing
    assert '"name": "old"' in run_vaetui("sessions", "--json").stdout
    assert run_vaetui("delete", "old", "--yes").returncode == 0
    assert not directory.exists()


def create_session_of_older_format(name: str, version: int) -> Path:
    """Create a session with tables and a journal of format 1, 2 or 3.

    None has answers about the nearest image of a cluster, 1 and 2 have no answers about single images; in format 1,
    answers and class edits have no steps.
    """
    with locations.create_session_atomically([name]) as (_, directory):
        repository = SessionRepository.create(directory, Config(), "mnist", (640, 28, 28))
        repository.record_round_start(Clustered(1, 5, ()))
        repository.close()
    directory = locations.find_session(name)
    ids = (1, 1) if version == 1 else (1, 1, 1, 1)
    row = (*ids, "0", "class", 3, 1.0, None, "active", 0.0)
    entry = journal.JournalEntry(3, (("answer", row),))
    with file_names.journal_path(directory).open("ab") as file:
        file.write(journal.format_line(entry))
    with contextlib.closing(sqlite3.connect(file_names.database_path(directory))) as connection:
        connection.execute("ALTER TABLE answer DROP COLUMN image_index")
        if version < 3:
            for table in ("image_answer", "class_border", "audit_check", "audit"):
                connection.execute(f"DROP TABLE {table}")
            connection.execute("ALTER TABLE epoch DROP COLUMN expected_accuracy")
        if version == 1:
            for table in ("answer", "class_edit"):
                connection.execute(f"ALTER TABLE {table} DROP COLUMN step_id")
            connection.execute("ALTER TABLE answer DROP COLUMN made_in_round")
        connection.execute(f"INSERT INTO answer VALUES ({', '.join('?' * len(row))})", row)
        connection.execute("UPDATE meta SET value = '3' WHERE key = 'last_entry_number'")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()
    return directory


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize(
    "command", [["resume", "old"], ["show", "old"], ["export", "old"], ["check", "old"], ["check", "old", "--repair"]]
)
def test_session_of_an_older_format_is_refused_and_left_unchanged(
    command: list[str], version: int, tmp_path: Path
) -> None:
    directory = create_session_of_older_format("old", version)
    before = {
        path.name: path.read_bytes()
        for path in directory.iterdir()
        if path.name in file_names.DATABASE_AND_JOURNAL_NAMES
    }
    output = ["-o", str(tmp_path / "labels.csv")] if command[0] == "export" else []
    assert_refused(
        "Session old was made by an older vaetui in a format that this version cannot read. Open it with that version, "
        "or delete it with: vaetui delete old",
        *command,
        *output,
    )
    assert {
        path.name: path.read_bytes()
        for path in directory.iterdir()
        if path.name in file_names.DATABASE_AND_JOURNAL_NAMES
    } == before


@pytest.mark.parametrize("version", [1, 2, 3])
def test_session_of_an_older_format_is_listed_as_such_and_can_be_deleted(version: int) -> None:
    directory = create_session_of_older_format("old", version)
    listing = " ".join(run_vaetui("sessions").stdout.split())
    assert "made by an older vaetui" in listing
    assert '"name": "old"' in run_vaetui("sessions", "--json").stdout
    assert run_vaetui("delete", "old", "--yes").returncode == 0
    assert not directory.exists()


def test_damaged_present_session_is_not_taken_for_an_older_one() -> None:
    directory = create_session("mixed")
    (directory / "facts.db").touch()
    file_names.database_path(directory).rename(file_names.journal_path(directory))
    assert locations.find_session("mixed") == directory

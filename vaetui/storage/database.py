"""The SQLite file of a session's facts: opened, looked over, read and written; it does not know what the facts are."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vaetui.errors import UserError
from vaetui.storage import atomic_files
from vaetui.storage.journal import MAX_FILE_BYTES, Change, Journal, JournalEntry
from vaetui.storage.row_checks import ROW_CONDITIONS
from vaetui.storage.schema import CHANGE_STATEMENTS, CREATE_TABLES, FORMAT_VERSION, MIGRATIONS, TABLE_NAMES

MAX_VALUE_BYTES = 1_000_000
"""Bytes that a value in the file may have; the longest, the configuration, has a thousandth."""


class NewerFormatError(UserError):
    """A newer version made the file."""


class Database:
    """One SQLite file, for several threads; what is written is on the disk when the transaction ends."""

    def __init__(self, path: Path, journal: Journal | None = None) -> None:
        """Open the file, to write it where there is a ledger for its changes.

        One of an older format is read as if it were upgraded. Raises Trouble for a file that is no database, that a
        newer version made, or whose content no version would have written.
        """
        self.path = path
        """The file."""
        self.journal = journal
        """Where every change is written first."""
        self._lock = threading.RLock()  # the worker records while the screen reads
        with translate_database_errors(self.path):
            self._connection = open_validated(path)

    def fetch_all(self, query: str, parameters: tuple[object, ...] = ()) -> list[Any]:
        """Give what a query finds."""
        with self._lock, translate_database_errors(self.path):
            return self._connection.execute(query, parameters).fetchall()

    def apply_changes(self, *changes: Change) -> None:
        """Do all of this in one transaction, or nothing; it is on the disk when this returns.

        The ledger has it first: what it has and the file has not is done when the session is opened.
        """
        assert self.journal is not None, "opened to be read"
        with self._lock, translate_database_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                entry = JournalEntry(last_applied_number(self._connection) + 1, changes)
                apply_entry(self._connection, entry)
                try:
                    self.journal.append(entry)
                    self._connection.execute("COMMIT")
                except BaseException:
                    self.journal.truncate_last()
                    raise
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file, and the ledger with it, after what another thread changes just now."""
        with self._lock:
            self._connection.close()
            if self.journal is not None:
                self.journal.close()


@contextmanager
def translate_database_errors(path: Path) -> Iterator[None]:
    """Turn a failure of the disk, or of what stands on it, into Trouble."""
    with atomic_files.translate_os_errors(path):
        try:
            yield
        except sqlite3.OperationalError as error:
            if "full" in str(error):
                raise UserError(atomic_files.disk_full_message(path)) from error
            raise UserError(f"{path} cannot be used ({error}).") from error
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the second where SQLite quotes what it found
            raise _damage_error(path, error) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open an SQLite file in which nothing is trusted: no trigger, no view, no large value will do anything.

    Raises Trouble for one that is too large, and what SQLite raises.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise _damage_error(path, "it is larger than the facts of any session")
    base = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    base.execute("PRAGMA trusted_schema = OFF")
    base.execute("PRAGMA cell_size_check = ON")
    if os.access(path, os.W_OK):
        # A rollback journal works on network homes, where a write-ahead log does not; EXTRA syncs the directory
        # too, so that no committed answer can be rolled back by a power cut.
        base.execute("PRAGMA journal_mode = DELETE")
        base.execute("PRAGMA synchronous = EXTRA")
    return base


def open_validated(path: Path) -> sqlite3.Connection:
    """Open a file and look at all that is in it; one of an older format becomes a copy in memory that is upgraded.

    Raises Trouble for what no version would have written, `Newer` for a newer format, and what SQLite raises.
    """
    if not path.exists():
        raise _damage_error(path, "it is missing")
    base = connect(path)
    try:
        made_by = format_version(base)
        if made_by > FORMAT_VERSION:
            raise NewerFormatError(
                f"The session {path.parent.name} was made by a newer vaetui (format {made_by}, this one reads "
                f"{FORMAT_VERSION}); upgrade vaetui to open it."
            )
        if made_by not in (*MIGRATIONS, FORMAT_VERSION):
            raise _damage_error(path, f"there is no format {made_by}")
        _check_schema(base, path)
        if made_by < FORMAT_VERSION:
            base = _copy_to_memory(base)
            upgrade(base)
        check_rows(base, path)
        return base
    except BaseException:
        base.close()
        raise


def format_version(connection: sqlite3.Connection) -> int:
    """Give the format of the tables."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def create_database(path: Path) -> None:
    """Make a file with empty tables, which its owner alone may read."""
    with translate_database_errors(path):
        atomic_files.open_for_writing(path, os.O_EXCL).close()
        with contextlib.closing(connect(path)) as base:
            create_tables(base)


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty database."""
    _execute_statements(connection, CREATE_TABLES, FORMAT_VERSION)


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring the tables of an older format up to date."""
    for older in range(format_version(connection), FORMAT_VERSION):
        _execute_statements(connection, MIGRATIONS[older], older + 1)


def apply_entry(connection: sqlite3.Connection, entry: JournalEntry) -> None:
    """Do what an entry of the ledger says, within a transaction of the caller.

    Raises KeyError for a change that there is not, and what SQLite raises for values that it cannot take.
    """
    for what, values in entry.changes:
        connection.execute(CHANGE_STATEMENTS[what], values)
    connection.execute(CHANGE_STATEMENTS["meta"], ("changes", str(entry.number)))


def last_applied_number(connection: sqlite3.Connection) -> int:
    """Give the number of the last entry that was applied, 0 before the first; raises ValueError for none."""
    found = connection.execute("SELECT value FROM meta WHERE key = 'changes'").fetchone()
    return int(found[0]) if found else 0


def dump_tables(connection: sqlite3.Connection) -> dict[str, list[Any]]:
    """Give every row of every table, in order."""
    return {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in TABLE_NAMES}


def _copy_to_memory(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Copy a database into memory and close it."""
    memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.backup(memory)
    connection.close()
    return memory


def _execute_statements(connection: sqlite3.Connection, statements: str, new_version: int) -> None:
    """Execute statements one by one: `executescript` would end a transaction."""
    for statement in statements.split(";\n"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {new_version}")


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what was never made here: other tables, other columns, triggers and views, which would be executed."""
    right = sqlite3.connect(":memory:")
    create_tables(right)
    known = {name for (name,) in right.execute("SELECT name FROM sqlite_master")}
    for kind, name in connection.execute("SELECT type, name FROM sqlite_master").fetchall():
        here, there = (_column_names(each, name) for each in (connection, right))
        if kind not in ("table", "index") or name not in known or here != there[: len(here)]:
            raise _damage_error(path, f"a {kind} stands in it that no session has")
    right.close()


def _column_names(connection: sqlite3.Connection, table: str) -> list[Any]:
    """Name the columns of a table; upgrades only add some at the end."""
    return [column[1] for column in connection.execute("SELECT * FROM pragma_table_info(?)", (table,))]


def check_rows(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse rows that no session would write, with Trouble."""
    for table, sound in ROW_CONDITIONS.items():
        if connection.execute(f"SELECT 1 FROM {table} WHERE ({sound}) IS NOT TRUE LIMIT 1").fetchone():
            raise _damage_error(path, f"no session would write what stands in the table {table}")


def _damage_error(path: Path, reason: object) -> UserError:
    return UserError(f"{path} is damaged ({reason}); mend it with: vaetui check {path.parent.name} --repair")

"""The SQLite file of a session: opening, validation, queries and journalled changes. Nothing in the file is trusted."""

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
from vaetui.storage import atomic_files, locations
from vaetui.storage.journal import MAX_FILE_BYTES, Change, Journal, JournalEntry
from vaetui.storage.row_checks import MAX_META_CHARS, ROW_CONDITIONS
from vaetui.storage.schema import CHANGE_STATEMENTS, CREATE_TABLES, FORMAT_VERSION

MAX_VALUE_BYTES = 2 * MAX_META_CHARS
"""Length limit of a value and of a row in the file."""
WRITE_ERRORS = (sqlite3.DataError, sqlite3.IntegrityError, UnicodeEncodeError, OverflowError)
"""Exceptions for values that do not fit into a table."""


class NewerFormatError(UserError):
    """A newer version of vaetui wrote the file."""


class OlderDatabaseError(UserError):
    """An older version of vaetui wrote the file, in a format that this version cannot read."""


class Database:
    """One SQLite file, shared by several threads; a change is on the disk when its transaction ends."""

    def __init__(self, path: Path, journal: Journal | None = None) -> None:
        """Open the file; without a journal for its changes, copy its present state into memory, to read only.

        Raises UserError if the file is not a database, has another format, or contains what vaetui never writes.
        """
        self.path = path
        """The file."""
        self.journal = journal
        """Every change is appended here before it is committed."""
        self._lock = threading.RLock()  # the worker thread writes while the screen reads
        with translate_database_errors(self.path):
            self._connection = open_validated(path, is_copied=journal is None)

    def fetch_all(self, query: str, parameters: tuple[object, ...] = ()) -> list[Any]:
        """Return the rows of a query."""
        with self._lock, translate_database_errors(self.path):
            return self._connection.execute(query, parameters).fetchall()

    def apply_changes(self, *changes: Change) -> None:
        """Apply all changes in one transaction, which is on the disk when this returns.

        The journal gets them first: an entry that a crash kept from the database is applied at the next start. Raises
        UserError, and changes nothing, if the file could not be opened again with them.
        """
        assert self.journal is not None, "the database is read-only"
        with self._lock, translate_database_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                entry = JournalEntry(read_last_entry_number(self._connection) + 1, changes)
                _apply_validated(self._connection, entry)
                try:
                    self.journal.append(entry)
                    self._connection.execute("COMMIT")
                except BaseException:
                    self.journal.remove_last_entry()
                    raise
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Wait for a change in progress, then close the file and its journal."""
        with self._lock:
            self._connection.close()
            if self.journal is not None:
                self.journal.close()


@contextmanager
def translate_database_errors(path: Path) -> Iterator[None]:
    """Convert errors of the operating system and of SQLite to UserError."""
    with atomic_files.translate_os_errors(path):
        try:
            yield
        except sqlite3.OperationalError as error:
            if "full" in str(error):
                raise UserError(atomic_files.disk_full_message(path)) from error
            raise UserError(f"Cannot use {path} ({error}). Check the path and its permissions.") from error
        except (sqlite3.Error, UnicodeDecodeError) as error:  # SQLite's messages may quote damaged text
            raise _make_damage_error(path, error) from error


def connect_safely(path: Path) -> sqlite3.Connection:
    """Open an SQLite file such that no trigger, view or oversized value in it takes effect.

    Raises UserError if the file is too large, and sqlite3.Error.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise _make_damage_error(path, "larger than the database of any session")
    connection = _connect_distrustfully(path)
    if os.access(path, os.W_OK):
        # A rollback journal works on network file systems, where a write-ahead log does not. EXTRA also syncs the
        # directory, so that a power cut cannot roll back a committed answer.
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = EXTRA")
    return connection


def open_validated(path: Path, is_copied: bool = False) -> sqlite3.Connection:
    """Open a file, or a copy of its present state in memory, and check it.

    The process that writes the file does not wait for readers of a copy, and they see one state. Raises
    NewerFormatError, OlderDatabaseError, sqlite3.Error, and UserError for what vaetui never writes.
    """
    if not path.exists():
        raise _make_damage_error(path, "the file is missing")
    connection = connect_safely(path)
    if is_copied:
        connection = _copy_to_memory(connection)
    try:
        version = read_format_version(connection)
        if version > FORMAT_VERSION:
            raise NewerFormatError(
                f"Session {path.parent.name} was made by a newer vaetui (format {version}; this version reads format "
                f"{FORMAT_VERSION}). Upgrade vaetui to open it."
            )
        if 0 < version < FORMAT_VERSION:
            raise OlderDatabaseError(locations.describe_older_format(path.parent.name))
        if version != FORMAT_VERSION:
            raise _make_damage_error(path, f"unknown format {version}")
        _check_schema(connection, path)
        require_valid_rows(connection, path)
        return connection
    except BaseException:
        connection.close()
        raise


def _connect_distrustfully(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


def _copy_to_memory(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return a connection to a copy of the present state, and close the original."""
    memory = _connect_distrustfully(":memory:")
    with contextlib.closing(connection):
        try:
            connection.backup(memory)
        except BaseException:
            memory.close()
            raise
    return memory


def read_format_version(connection: sqlite3.Connection) -> int:
    """Return the format version of the tables."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def create_database(path: Path) -> None:
    """Create a file with empty tables, readable by its owner only."""
    with translate_database_errors(path):
        atomic_files.open_for_writing(path, os.O_EXCL).close()
        with contextlib.closing(connect_safely(path)) as connection:
            create_tables(connection)


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the tables in an empty database."""
    for statement in CREATE_TABLES.split(";\n"):  # one by one: `executescript` would end a transaction
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")


def apply_journal_entry(connection: sqlite3.Connection, entry: JournalEntry) -> list[tuple[str, int | None]]:
    """Apply an entry in a transaction of the caller; return table and row id of the rows that it adds.

    Raises KeyError for an unknown change, and sqlite3.Error.
    """
    row_ids = []
    for name, values in entry.changes:
        cursor = connection.execute(CHANGE_STATEMENTS[name], values)
        if name in ROW_CONDITIONS:  # statements with the name of a table add a row
            row_ids.append((name, cursor.lastrowid))
    connection.execute(CHANGE_STATEMENTS["meta"], ("last_entry_number", str(entry.number)))
    return row_ids


def _apply_validated(connection: sqlite3.Connection, entry: JournalEntry) -> None:
    """Apply an entry of this process; raises UserError for values and rows that `open_validated` would refuse."""
    try:
        row_ids = apply_journal_entry(connection, entry)
    except WRITE_ERRORS as error:
        raise UserError(f"A change cannot be stored ({error}). Nothing was changed.") from error
    for table, row_id in row_ids:
        query = f"SELECT 1 FROM {table} WHERE rowid = ? AND ({ROW_CONDITIONS[table]}) IS NOT TRUE"
        if connection.execute(query, (row_id,)).fetchone():
            raise UserError(f"A change cannot be stored (invalid row in table {table}). Nothing was changed.")


def read_last_entry_number(connection: sqlite3.Connection) -> int:
    """Return the number of the last applied journal entry, 0 before the first; raises ValueError if it is invalid."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'last_entry_number'").fetchone()
    return int(row[0]) if row else 0


def read_all_tables(connection: sqlite3.Connection) -> dict[str, list[Any]]:
    """Return the rows of every table in a fixed order."""
    return {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in ROW_CONDITIONS}


def require_valid_rows(connection: sqlite3.Connection, path: Path) -> None:
    """Raise UserError if a table contains a row that vaetui never writes."""
    for table, condition in ROW_CONDITIONS.items():
        if connection.execute(f"SELECT 1 FROM {table} WHERE ({condition}) IS NOT TRUE LIMIT 1").fetchone():
            raise _make_damage_error(path, f"invalid row in table {table}")


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse other tables and columns, and triggers and views, which SQLite would execute."""
    with contextlib.closing(sqlite3.connect(":memory:")) as reference:
        create_tables(reference)
        names = [name for (name,) in reference.execute("SELECT name FROM sqlite_master")]
        columns = {name: _read_column_names(reference, name) for name in names}
        for kind, name in connection.execute("SELECT type, name FROM sqlite_master").fetchall():
            is_known = kind in ("table", "index") and name in columns
            if not is_known or _read_column_names(connection, name) != columns[name]:
                raise _make_damage_error(path, f"unexpected {kind}")


def _read_column_names(connection: sqlite3.Connection, table: str) -> list[Any]:
    return [column[1] for column in connection.execute("SELECT * FROM pragma_table_info(?)", (table,))]


def _make_damage_error(path: Path, reason: object) -> UserError:
    return UserError(f"{path} is damaged ({reason}). Repair it with: vaetui check {path.parent.name} --repair")

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

from vaetui.errors import Trouble
from vaetui.storage import atomic_files
from vaetui.storage.journal import LARGEST, Change, Entry, Ledger
from vaetui.storage.row_checks import SOUND
from vaetui.storage.schema import CHANGES, ROWS, TABLES, UPGRADES, VERSION

CELL = 1_000_000
"""Bytes that a value in the file may have; the longest, the configuration, has a thousandth."""


class Newer(Trouble):
    """A newer version made the file."""


class Database:
    """One SQLite file, for several threads; what is written is on the disk when the transaction ends."""

    def __init__(self, path: Path, ledger: Ledger | None = None) -> None:
        """Open the file, to write it where there is a ledger for its changes.

        One of an older format is read as if it were upgraded. Raises Trouble for a file that is no database, that a
        newer version made, or whose content no version would have written.
        """
        self.path = path
        """The file."""
        self.ledger = ledger
        """Where every change is written first."""
        self._guard = threading.RLock()  # the worker records while the screen reads
        with explained(self.path):
            self._base = looked_over(path)

    def rows(self, query: str, values: tuple[object, ...] = ()) -> list[Any]:
        """Give what a query finds."""
        with self._guard, explained(self.path):
            return self._base.execute(query, values).fetchall()

    def change(self, *changes: Change) -> None:
        """Do all of this in one transaction, or nothing; it is on the disk when this returns.

        The ledger has it first: what it has and the file has not is done when the session is opened.
        """
        assert self.ledger is not None, "opened to be read"
        with self._guard, explained(self.path):
            self._base.execute("BEGIN IMMEDIATE")
            try:
                entry = Entry(applied(self._base) + 1, changes)
                apply(self._base, entry)
                try:
                    self.ledger.append(entry)
                    self._base.execute("COMMIT")
                except BaseException:
                    self.ledger.withdraw()
                    raise
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file, and the ledger with it, after what another thread changes just now."""
        with self._guard:
            self._base.close()
            if self.ledger is not None:
                self.ledger.close()


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn a failure of the disk, or of what stands on it, into Trouble."""
    with atomic_files.explained(path):
        try:
            yield
        except sqlite3.OperationalError as error:
            if "full" in str(error):
                raise Trouble(atomic_files.full(path)) from error
            raise Trouble(f"{path} cannot be used ({error}).") from error
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the second where SQLite quotes what it found
            raise _damaged(path, error) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open an SQLite file in which nothing is trusted: no trigger, no view, no large value will do anything.

    Raises Trouble for one that is too large, and what SQLite raises.
    """
    if path.stat().st_size > LARGEST:
        raise _damaged(path, "it is larger than the facts of any session")
    base = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CELL)
    base.execute("PRAGMA trusted_schema = OFF")
    base.execute("PRAGMA cell_size_check = ON")
    if os.access(path, os.W_OK):
        # A rollback journal works on network homes, where a write-ahead log does not; EXTRA syncs the directory
        # too, so that no committed answer can be rolled back by a power cut.
        base.execute("PRAGMA journal_mode = DELETE")
        base.execute("PRAGMA synchronous = EXTRA")
    return base


def looked_over(path: Path) -> sqlite3.Connection:
    """Open a file and look at all that is in it; one of an older format becomes a copy in memory that is upgraded.

    Raises Trouble for what no version would have written, `Newer` for a newer format, and what SQLite raises.
    """
    if not path.exists():
        raise _damaged(path, "it is missing")
    base = connect(path)
    try:
        made_by = version(base)
        if made_by > VERSION:
            raise Newer(
                f"The session {path.parent.name} was made by a newer vaetui (format {made_by}, this one reads "
                f"{VERSION}); upgrade vaetui to open it."
            )
        if made_by not in (*UPGRADES, VERSION):
            raise _damaged(path, f"there is no format {made_by}")
        _check_tables(base, path)
        if made_by < VERSION:
            base = _copied(base)
            upgrade(base)
        check_rows(base, path)
        return base
    except BaseException:
        base.close()
        raise


def version(base: sqlite3.Connection) -> int:
    """Give the format of the tables."""
    return int(base.execute("PRAGMA user_version").fetchone()[0])


def begin(path: Path) -> None:
    """Make a file with empty tables, which its owner alone may read."""
    with explained(path):
        atomic_files.written(path, os.O_EXCL).close()
        with contextlib.closing(connect(path)) as base:
            create(base)


def create(base: sqlite3.Connection) -> None:
    """Make the tables in an empty database."""
    _execute(base, TABLES, VERSION)


def upgrade(base: sqlite3.Connection) -> None:
    """Bring the tables of an older format up to date."""
    for older in range(version(base), VERSION):
        _execute(base, UPGRADES[older], older + 1)


def apply(base: sqlite3.Connection, entry: Entry) -> None:
    """Do what an entry of the ledger says, within a transaction of the caller.

    Raises KeyError for a change that there is not, and what SQLite raises for values that it cannot take.
    """
    for what, values in entry.changes:
        base.execute(CHANGES[what], values)
    base.execute(CHANGES["meta"], ("changes", str(entry.number)))


def applied(base: sqlite3.Connection) -> int:
    """Give the number of the last entry that was applied, 0 before the first; raises ValueError for none."""
    found = base.execute("SELECT value FROM meta WHERE key = 'changes'").fetchone()
    return int(found[0]) if found else 0


def content(base: sqlite3.Connection) -> dict[str, list[Any]]:
    """Give every row of every table, in order."""
    return {table: base.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in ROWS}


def _copied(base: sqlite3.Connection) -> sqlite3.Connection:
    """Copy a database into memory and close it."""
    memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    base.backup(memory)
    base.close()
    return memory


def _execute(base: sqlite3.Connection, statements: str, makes: int) -> None:
    """Execute statements one by one: `executescript` would end a transaction."""
    for statement in statements.split(";\n"):
        base.execute(statement)
    base.execute(f"PRAGMA user_version = {makes}")


def _check_tables(base: sqlite3.Connection, path: Path) -> None:
    """Refuse what was never made here: other tables, other columns, triggers and views, which would be executed."""
    right = sqlite3.connect(":memory:")
    create(right)
    known = {name for (name,) in right.execute("SELECT name FROM sqlite_master")}
    for kind, name in base.execute("SELECT type, name FROM sqlite_master").fetchall():
        here, there = (_columns(each, name) for each in (base, right))
        if kind not in ("table", "index") or name not in known or here != there[: len(here)]:
            raise _damaged(path, f"a {kind} stands in it that no session has")
    right.close()


def _columns(base: sqlite3.Connection, table: str) -> list[Any]:
    """Name the columns of a table; upgrades only add some at the end."""
    return [column[1] for column in base.execute("SELECT * FROM pragma_table_info(?)", (table,))]


def check_rows(base: sqlite3.Connection, path: Path) -> None:
    """Refuse rows that no session would write, with Trouble."""
    for table, sound in SOUND.items():
        if base.execute(f"SELECT 1 FROM {table} WHERE ({sound}) IS NOT TRUE LIMIT 1").fetchone():
            raise _damaged(path, f"no session would write what stands in the table {table}")


def _damaged(path: Path, why: object) -> Trouble:
    return Trouble(f"{path} is damaged ({why}); mend it with: vaetui check {path.parent.name} --repair")

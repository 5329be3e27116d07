"""The SQLite file of a session's facts: opened, upgraded, read and written; it does not know what the facts are."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vaetui.store import files
from vaetui.store.schema import TABLES, UPGRADES, VERSION
from vaetui.trouble import Trouble


class Database:
    """One SQLite file, for several threads; what is written is on the disk when the transaction ends."""

    def __init__(self, path: Path) -> None:
        """Open the file; one of an older format can be read as it is, and written after `upgrade`.

        Raises Trouble for a file that is no database or that a newer version made.
        """
        self.path = path
        """The file."""
        self._guard = threading.RLock()  # the worker records while the screen reads
        try:
            self._base = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            version = self._version()
            if version <= VERSION:
                # A rollback journal works on network homes, where a write-ahead log does not; EXTRA syncs the
                # directory too, so that no committed answer can be rolled back by a power cut.
                self._base.execute("PRAGMA journal_mode = DELETE")
                self._base.execute("PRAGMA synchronous = EXTRA")
        except sqlite3.Error as error:
            raise Trouble(f"{path} cannot be read as a session ({error}).") from error
        if version > VERSION:
            self._base.close()
            raise Trouble(
                f"The session {path.parent.name} was made by a newer vaetui (format {version}, this one reads "
                f"{VERSION}); upgrade vaetui to open it."
            )

    def upgrade(self) -> None:
        """Bring a file of an older format up to date, in one transaction; only for who alone may write."""
        if self._version() < VERSION:
            with self.writing() as base:
                for version in range(self._version(), VERSION):
                    _execute(base, UPGRADES[version])

    def make(self) -> None:
        """Make the tables in a new file."""
        with self.writing() as base:
            _execute(base, TABLES)

    def rows(self, query: str, values: tuple[object, ...] = ()) -> list[Any]:
        """Give what a query finds."""
        with self._guard, self._explained():
            return self._base.execute(query, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold one transaction: all of it is on the disk afterwards, or nothing."""
        with self._guard, self._explained():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def _version(self) -> int:
        return int(self._base.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "full" in str(error):
                raise Trouble(files.full(self.path)) from error
            raise Trouble(f"{self.path} cannot be used ({error}).") from error
        except sqlite3.DatabaseError as error:
            raise Trouble(f"{self.path} is damaged ({error}).") from error


def _execute(base: sqlite3.Connection, statements: str) -> None:
    """Execute statements one by one: `executescript` would end the transaction."""
    for statement in statements.split(";\n"):
        base.execute(statement)
    base.execute(f"PRAGMA user_version = {VERSION}")

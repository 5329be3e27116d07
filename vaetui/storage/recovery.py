"""Comparison of database and journal, and repair of either from the other; only for the process holding the lock."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from vaetui.errors import UserError
from vaetui.storage import atomic_files, database, file_names, journal
from vaetui.storage.database import NewerFormatError, OlderDatabaseError
from vaetui.storage.findings import Finding
from vaetui.storage.journal import JournalEntry, JournalScan
from vaetui.storage.schema import FORMAT_VERSION
from vaetui.storage.untrusted_entries import quarantine_file

READ_ATTEMPTS = 3
"""How often database and journal are compared before they count as different: another process may repair them."""


def verify_database(directory: Path, repair: bool) -> Iterator[Finding]:
    """Yield what is damaged in database and journal, and repair it if asked to.

    A difference that a crash left between the two is settled without a finding. Raises UserError if neither file is
    usable, and for a database of another format.
    """
    database_path, journal_path = file_names.database_path(directory), file_names.journal_path(directory)
    with database.translate_database_errors(database_path):
        yield from _verify_files(database_path, journal_path, repair)


def require_matching_journal(directory: Path) -> None:
    """Raise UserError if the database contradicts its journal; another process may write both meanwhile.

    A damaged journal is no reason to refuse the database: the process that opens it for writing repairs the journal.
    """
    database_path, journal_path = file_names.database_path(directory), file_names.journal_path(directory)
    for _ in range(READ_ATTEMPTS):
        with database.translate_database_errors(database_path):
            if not journal_path.exists() or _equals_journal(database_path, journal_path):
                return
    raise UserError(
        f"{database_path} differs from {journal_path.name}. Repair it with: vaetui check {directory.name} --repair"
    )


def _equals_journal(database_path: Path, journal_path: Path) -> bool:
    """Return whether the database has the content after one of the journal's entries, or the journal is damaged."""
    with contextlib.closing(database.connect_safely(database_path)) as connection:
        connection.execute("BEGIN")  # one state for all queries
        try:
            number, tables = database.read_last_entry_number(connection), database.read_all_tables(connection)
            if not _has_consistent_indexes(connection):
                return False
        except ValueError:
            return False
        except sqlite3.OperationalError as error:
            if "decode" not in str(error):  # of text that is not UTF-8
                raise
            return False
    scan = journal.scan_journal(journal_path)  # after the database: the journal gets each change first
    if scan.entries and scan.entries[0].number > number:
        return False
    entries = [entry for entry in scan.entries if entry.number <= number]
    if scan.lost_count or scan.last_number < number or (replayed := _replay(entries, journal_path)) is None:
        return True
    return database.read_all_tables(replayed) == tables


def _verify_files(database_path: Path, journal_path: Path, repair: bool) -> Iterator[Finding]:
    scan = journal.scan_journal(journal_path) if journal_path.exists() else JournalScan((), 0, 0)
    replayed = _replay(scan.entries, journal_path)
    problem = _find_problem(database_path, replayed)
    if problem is not None:
        yield from _replace_damaged_database(database_path, journal_path, problem, scan, replayed, repair)
        return
    if replayed is not None and (foreign_path := _find_foreign_file(database_path, journal_path, replayed)):
        other_path = journal_path if foreign_path == database_path else database_path
        yield Finding(foreign_path.name, "belongs to another session", f"rebuilt from {other_path.name}")
        if repair and foreign_path == database_path:
            _rebuild_database(database_path, replayed)
        elif repair:
            _rebuild_journal(journal_path, database_path)
        return
    with contextlib.closing(database.connect_safely(database_path)) as connection:
        pending_count = scan.last_number - database.read_last_entry_number(connection)
        if replayed is None or scan.lost_count or pending_count < 0:
            problem = "is damaged" if journal_path.exists() else "is missing"
            yield Finding(journal_path.name, problem, f"rebuilt from {database_path.name}")
            if repair:
                _rebuild_journal(journal_path, database_path)
            return
        expected = replayed if pending_count == 0 else _replay(scan.entries[:-1], journal_path)
        if (
            pending_count > 1
            or expected is None
            or database.read_all_tables(connection) != database.read_all_tables(expected)
        ):
            yield Finding(database_path.name, f"differs from {journal_path.name}", f"rebuilt from {journal_path.name}")
            if repair:
                _rebuild_database(database_path, replayed)
        elif repair and pending_count:  # a crash came between the two writes
            connection.execute("BEGIN IMMEDIATE")
            database.apply_journal_entry(connection, scan.entries[-1])
            connection.execute("COMMIT")
    if repair:
        _truncate_journal(journal_path, scan.intact_bytes)


def _replace_damaged_database(
    database_path: Path,
    journal_path: Path,
    problem: str,
    scan: JournalScan,
    replayed: sqlite3.Connection | None,
    repair: bool,
) -> Iterator[Finding]:
    if replayed is None:
        raise UserError(
            f"{database_path} {problem}, and {journal_path.name} cannot replace it. Restore either from a backup."
        )
    loss = f" without {scan.lost_count} lost changes" if scan.lost_count else ""
    yield Finding(database_path.name, problem, f"rebuilt from {journal_path.name}{loss}")
    if repair:
        _rebuild_database(database_path, replayed)
        if scan.lost_count:
            _rebuild_journal(journal_path, database_path)
        else:
            _truncate_journal(journal_path, scan.intact_bytes)


def _find_problem(database_path: Path, replayed: sqlite3.Connection | None) -> str | None:
    """Return what is wrong with the database, apart from its journal.

    Raises NewerFormatError and OlderDatabaseError, except where the content equals the journal's: then one bit of the
    version is flipped.
    """
    if not database_path.exists():
        return "is missing"
    try:
        with contextlib.closing(database.open_validated(database_path)) as connection:
            database.read_last_entry_number(connection)
            database.read_all_tables(connection)  # raises sqlite3.Error for text that is not UTF-8
            return None if _has_consistent_indexes(connection) else "is damaged"
    except (NewerFormatError, OlderDatabaseError):
        if replayed is None or not _has_flipped_version(database_path, replayed):
            raise
        return "is damaged"
    except (UserError, ValueError, sqlite3.Error):
        return "is damaged"


def _find_foreign_file(database_path: Path, journal_path: Path, replayed: sqlite3.Connection) -> Path | None:
    """Return which of the two files belongs to another session; None if they belong together.

    Raises UserError if the other files of the session do not decide that.
    """
    with contextlib.closing(database.connect_safely(database_path)) as connection:
        identities = zip(_read_identity(connection), _read_identity(replayed), strict=True)
        # One flipped bit changes only one of the two values.
        if not all(value and other_value and value != other_value for value, other_value in identities):
            return None
        match_counts = [_count_matching_files(database_path.parent, tables) for tables in (connection, replayed)]
    if match_counts[0] == match_counts[1]:
        raise UserError(
            f"{database_path} and {journal_path.name} belong to different sessions. Replace one of them from a backup."
        )
    return database_path if match_counts[0] < match_counts[1] else journal_path


def _read_identity(connection: sqlite3.Connection) -> tuple[str | None, str | None]:
    """Return two values that no other session has: id and time of creation."""
    values = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    return values.get("session_id"), values.get("created_at")


def _count_matching_files(directory: Path, connection: sqlite3.Connection) -> int:
    """Return how many files in a directory are those that the tables of a session list."""
    count = 0
    for name, size_bytes, sha256_hex in connection.execute("SELECT * FROM artifact").fetchall():
        path = directory / name
        with contextlib.suppress(OSError):
            if path.stat().st_size == size_bytes:
                with atomic_files.open_for_reading(path) as file:
                    count += hashlib.file_digest(file, "sha256").hexdigest() == sha256_hex
    return count


def _has_consistent_indexes(connection: sqlite3.Connection) -> bool:
    """Return whether pages are intact and indexes agree with their tables: a query may read either."""
    (result,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    return bool(result == "ok")


def _has_flipped_version(database_path: Path, replayed: sqlite3.Connection) -> bool:
    with contextlib.closing(database.connect_safely(database_path)) as connection, contextlib.suppress(sqlite3.Error):
        is_one_bit_off = (database.read_format_version(connection) ^ FORMAT_VERSION).bit_count() == 1
        return is_one_bit_off and database.read_all_tables(connection) == database.read_all_tables(replayed)
    return False


def _truncate_journal(journal_path: Path, size_bytes: int) -> None:
    """Remove the part of a line that a crash left behind the last intact one."""
    if journal_path.stat().st_size > size_bytes:
        with atomic_files.translate_os_errors(journal_path):
            os.truncate(journal_path, size_bytes)


def _replay(entries: Sequence[JournalEntry], journal_path: Path) -> sqlite3.Connection | None:
    """Apply the entries in memory; return None if they are invalid or lack the beginning."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    database.create_tables(memory)
    try:
        for entry in entries:
            database.apply_journal_entry(memory, entry)
        database.require_valid_rows(memory, journal_path)
        # The first entry writes the configuration.
        has_beginning = memory.execute("SELECT 1 FROM meta WHERE key = 'config'").fetchone()
    except (KeyError, ValueError, OverflowError, sqlite3.Error, UserError):
        return None
    return memory if has_beginning else None


def _rebuild_database(database_path: Path, replayed: sqlite3.Connection) -> None:
    for path in (database_path, database_path.with_name(f"{database_path.name}-journal")):
        if path.exists():
            quarantine_file(path)
    partial = database_path.with_name(database_path.name + atomic_files.PARTIAL_SUFFIX)
    atomic_files.open_for_writing(partial, os.O_TRUNC).close()
    with contextlib.closing(sqlite3.connect(partial)) as connection:
        replayed.backup(connection)
    partial.replace(database_path)
    atomic_files.sync_directory(database_path.parent)


def _rebuild_journal(journal_path: Path, database_path: Path) -> None:
    if journal_path.exists():
        quarantine_file(journal_path)
    with contextlib.closing(database.connect_safely(database_path)) as connection:
        tables = database.read_all_tables(connection).items()
        changes = tuple((table, row) for table, rows in tables for row in rows if row[0] != "last_entry_number")
        entry = JournalEntry(database.read_last_entry_number(connection), changes)
    atomic_files.replace_file(journal_path, journal.format_line(entry))

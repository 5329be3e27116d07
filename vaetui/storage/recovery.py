"""Facts and ledger are compared, and either is made anew from the other; it does not know what they say.

Only for who holds the lock.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from vaetui.errors import UserError
from vaetui.storage import atomic_files, database, file_names, journal
from vaetui.storage.database import NewerFormatError
from vaetui.storage.findings import Finding
from vaetui.storage.journal import Change, JournalEntry, JournalScan
from vaetui.storage.schema import FORMAT_VERSION, TABLE_NAMES
from vaetui.storage.untrusted import quarantine_file


def verify_database(directory: Path, repair: bool) -> Iterator[Finding]:
    """Find what is damaged of the two, and mend it where that is wanted.

    What a crash left between them is put in order without a word. Raises Trouble where neither can be read, for a
    newer format, and for content that is not damaged but meant to be so.
    """
    facts, book = file_names.database_path(directory), file_names.journal_path(directory)
    with database.translate_database_errors(facts):
        yield from _verify_files(facts, book, repair)


def _verify_files(database_path: Path, journal_path: Path, repair: bool) -> Iterator[Finding]:
    account = journal.scan_journal(journal_path) if journal_path.exists() else JournalScan((), 0, 0)
    known = _replay(account.entries, journal_path)
    wrong = _find_problem(database_path, known)
    if wrong is not None:
        if known is None:
            raise UserError(f"{database_path} {wrong}, and {journal_path.name} is no help; put back a copy of either.")
        lost = f", of which {account.lost_count} changes are lost" if account.lost_count else ""
        yield Finding(database_path.name, wrong, f"made anew from {journal_path.name}{lost}")
        if repair:
            _rebuild_database(database_path, known)
            if account.lost_count:
                _rebuild_journal(journal_path, database_path)
            else:
                _truncate_journal(journal_path, account.intact_bytes)
        return
    with contextlib.closing(database.connect(database_path)) as base:
        ahead = account.last_number - database.last_applied_number(base)
        if known is None or account.lost_count or ahead < 0:
            yield Finding(
                journal_path.name,
                "is damaged" if journal_path.exists() else "is missing",
                f"made anew from {database_path.name}",
            )
            if repair:
                _rebuild_journal(journal_path, database_path)
            return
        before = known if ahead == 0 else _replay(account.entries[:-1], journal_path)
        if ahead > 1 or before is None or database.dump_tables(base) != database.dump_tables(before):
            yield Finding(
                database_path.name, f"differs from {journal_path.name}", f"made anew from {journal_path.name}"
            )
            if repair:
                _rebuild_database(database_path, known)
        elif repair and ahead:  # a crash between the two
            base.execute("BEGIN IMMEDIATE")
            database.apply_entry(base, account.entries[-1])
            base.execute("COMMIT")
    if repair:
        _truncate_journal(journal_path, account.intact_bytes)


def dump_as_entry(connection: sqlite3.Connection) -> JournalEntry:
    """Write all facts as one entry of a ledger."""
    rows = database.dump_tables(connection)
    changes: Sequence[Change] = [(table, row) for table in TABLE_NAMES for row in rows[table] if row[0] != "changes"]
    return JournalEntry(database.last_applied_number(connection), tuple(changes))


def _find_problem(database_path: Path, replayed: sqlite3.Connection | None) -> str | None:
    """Tell what is wrong with the file by itself; None for nothing.

    Raises `Newer` for a newer format, unless all else in it is what the ledger comes to.
    """
    if not database_path.exists():
        return "is missing"
    try:
        with contextlib.closing(database.open_validated(database_path)) as base:
            database.last_applied_number(base)
            (found,) = base.execute("PRAGMA quick_check(1)").fetchone()
            return None if found == "ok" else "is damaged"
    except NewerFormatError:
        if replayed is None or not _has_same_content(database_path, replayed):
            raise
        return "is damaged"
    except (UserError, ValueError, sqlite3.Error):
        return "is damaged"


def _has_same_content(database_path: Path, replayed: sqlite3.Connection) -> bool:
    """Tell whether a file holds what is known, with one bit flipped in the number of its format."""
    with contextlib.closing(database.connect(database_path)) as base, contextlib.suppress(sqlite3.Error):
        flipped = (database.format_version(base) ^ FORMAT_VERSION).bit_count() == 1
        return flipped and database.dump_tables(base) == database.dump_tables(replayed)
    return False


def _truncate_journal(journal_path: Path, size_bytes: int) -> None:
    """Take away what a crash left of a line behind the last whole one."""
    if journal_path.stat().st_size > size_bytes:
        with atomic_files.translate_os_errors(journal_path):
            os.truncate(journal_path, size_bytes)


def _replay(entries: Sequence[JournalEntry], journal_path: Path) -> sqlite3.Connection | None:
    """Do in memory all that the entries say; None where that cannot be done, or comes to what no session has."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    database.create_tables(memory)
    try:
        for entry in entries:
            database.apply_entry(memory, entry)
        database.check_rows(memory, journal_path)
        whole = memory.execute("SELECT 1 FROM meta WHERE key = 'config'").fetchone()  # from its first line on
    except (KeyError, ValueError, OverflowError, sqlite3.Error, UserError):
        return None
    return memory if whole else None


def _rebuild_database(database_path: Path, replayed: sqlite3.Connection) -> None:
    """Put a database in the place of the damaged one, which is kept aside."""
    for old in (database_path, database_path.with_name(f"{database_path.name}-journal")):
        if old.exists():
            quarantine_file(old)
    partial = database_path.with_name(database_path.name + atomic_files.PARTIAL_SUFFIX)
    atomic_files.open_for_writing(partial, os.O_TRUNC).close()
    with contextlib.closing(sqlite3.connect(partial)) as base:
        replayed.backup(base)
    partial.replace(database_path)
    atomic_files.sync_directory(database_path.parent)


def _rebuild_journal(journal_path: Path, database_path: Path) -> None:
    """Put a ledger in the place of the damaged one, which is kept aside."""
    if journal_path.exists():
        quarantine_file(journal_path)
    with contextlib.closing(database.connect(database_path)) as base:
        atomic_files.write(journal_path, journal.format_line(dump_as_entry(base)))

"""Facts and ledger are compared, and either is made anew from the other; it does not know what they say.

Only for who holds the lock.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from vaetui.errors import Trouble
from vaetui.storage import atomic_files, database, file_names, journal
from vaetui.storage.database import Newer
from vaetui.storage.findings import Finding
from vaetui.storage.journal import Account, Change, Entry
from vaetui.storage.schema import ROWS, VERSION
from vaetui.storage.untrusted import set_aside


def audit(directory: Path, repair: bool) -> Iterator[Finding]:
    """Find what is damaged of the two, and mend it where that is wanted.

    What a crash left between them is put in order without a word. Raises Trouble where neither can be read, for a
    newer format, and for content that is not damaged but meant to be so.
    """
    facts, book = file_names.facts(directory), file_names.ledger(directory)
    with database.explained(facts):
        yield from _audited(facts, book, repair)


def _audited(facts: Path, book: Path, repair: bool) -> Iterator[Finding]:
    account = journal.read(book) if book.exists() else Account((), 0, 0)
    known = _replayed(account.entries, book)
    wrong = _broken(facts, known)
    if wrong is not None:
        if known is None:
            raise Trouble(f"{facts} {wrong}, and {book.name} is no help; put back a copy of either.")
        lost = f", of which {account.lost} changes are lost" if account.lost else ""
        yield Finding(facts.name, wrong, f"made anew from {book.name}{lost}")
        if repair:
            _make_facts(facts, known)
            if account.lost:
                _make_ledger(book, facts)
            else:
                _cut(book, account.size)
        return
    with contextlib.closing(database.connect(facts)) as base:
        ahead = account.last - database.applied(base)
        if known is None or account.lost or ahead < 0:
            yield Finding(book.name, "is damaged" if book.exists() else "is missing", f"made anew from {facts.name}")
            if repair:
                _make_ledger(book, facts)
            return
        before = known if ahead == 0 else _replayed(account.entries[:-1], book)
        if ahead > 1 or before is None or database.content(base) != database.content(before):
            yield Finding(facts.name, f"differs from {book.name}", f"made anew from {book.name}")
            if repair:
                _make_facts(facts, known)
        elif repair and ahead:  # a crash between the two
            base.execute("BEGIN IMMEDIATE")
            database.apply(base, account.entries[-1])
            base.execute("COMMIT")
    if repair:
        _cut(book, account.size)


def snapshot(base: sqlite3.Connection) -> Entry:
    """Write all facts as one entry of a ledger."""
    rows = database.content(base)
    changes: Sequence[Change] = [(table, row) for table in ROWS for row in rows[table] if row[0] != "changes"]
    return Entry(database.applied(base), tuple(changes))


def _broken(facts: Path, known: sqlite3.Connection | None) -> str | None:
    """Tell what is wrong with the file by itself; None for nothing.

    Raises `Newer` for a newer format, unless all else in it is what the ledger comes to.
    """
    if not facts.exists():
        return "is missing"
    try:
        with contextlib.closing(database.looked_over(facts)) as base:
            database.applied(base)
            (found,) = base.execute("PRAGMA quick_check(1)").fetchone()
            return None if found == "ok" else "is damaged"
    except Newer:
        if known is None or not _same(facts, known):
            raise
        return "is damaged"
    except (Trouble, ValueError, sqlite3.Error):
        return "is damaged"


def _same(facts: Path, known: sqlite3.Connection) -> bool:
    """Tell whether a file holds what is known, with one bit flipped in the number of its format."""
    with contextlib.closing(database.connect(facts)) as base, contextlib.suppress(sqlite3.Error):
        flipped = (database.version(base) ^ VERSION).bit_count() == 1
        return flipped and database.content(base) == database.content(known)
    return False


def _cut(book: Path, size: int) -> None:
    """Take away what a crash left of a line behind the last whole one."""
    if book.stat().st_size > size:
        with atomic_files.explained(book):
            os.truncate(book, size)


def _replayed(entries: Sequence[Entry], book: Path) -> sqlite3.Connection | None:
    """Do in memory all that the entries say; None where that cannot be done, or comes to what no session has."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    database.create(memory)
    try:
        for entry in entries:
            database.apply(memory, entry)
        database.check_rows(memory, book)
        whole = memory.execute("SELECT 1 FROM meta WHERE key = 'config'").fetchone()  # from its first line on
    except (KeyError, ValueError, OverflowError, sqlite3.Error, Trouble):
        return None
    return memory if whole else None


def _make_facts(facts: Path, known: sqlite3.Connection) -> None:
    """Put a database in the place of the damaged one, which is kept aside."""
    for old in (facts, facts.with_name(f"{facts.name}-journal")):
        if old.exists():
            set_aside(old)
    partial = facts.with_name(facts.name + atomic_files.PARTIAL)
    atomic_files.written(partial, os.O_TRUNC).close()
    with contextlib.closing(sqlite3.connect(partial)) as base:
        known.backup(base)
    partial.replace(facts)
    atomic_files.sync(facts.parent)


def _make_ledger(book: Path, facts: Path) -> None:
    """Put a ledger in the place of the damaged one, which is kept aside."""
    if book.exists():
        set_aside(book)
    with contextlib.closing(database.connect(facts)) as base:
        atomic_files.write(book, journal.line(snapshot(base)))

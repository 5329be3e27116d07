"""A session of an older format is brought up to date, files and facts together; it does not know older tables.

Only for who holds the lock.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from vaetui.errors import UserError
from vaetui.storage import atomic_files, database, file_names, journal
from vaetui.storage.fingerprints import FileFingerprint, compute_fingerprint
from vaetui.storage.journal import JournalEntry
from vaetui.storage.recovery import dump_as_entry
from vaetui.storage.schema import MIGRATIONS

STAMPED = 3
"""The first format that knows every file by its digest; a file that does not fit it is damaged, and stays so."""


def upgrade(directory: Path) -> None:
    """Bring a session up to date; a crash leaves it as it was, to be upgraded once more, or as it shall be.

    Raises Trouble for facts that no older version would have written, and for a full disk.
    """
    facts = file_names.database_path(directory)
    if not is_older(facts):
        return
    with database.translate_database_errors(facts), contextlib.closing(database.connect(facts)) as base:
        unstamped = database.format_version(base) < STAMPED
        stamps = [*_clusterings(directory), *_checkpoint(directory)] if unstamped else []
        base.execute("BEGIN IMMEDIATE")
        database.upgrade(base)
        database.apply_entry(base, JournalEntry(1, tuple(("file", stamp) for stamp in stamps)))
        database.check_rows(base, facts)
        atomic_files.write(file_names.journal_path(directory), journal.format_line(dump_as_entry(base)))
        base.execute("COMMIT")
        (directory / file_names.LEGACY_CHECKPOINT_NAME).unlink(missing_ok=True)


def _clusterings(directory: Path) -> Iterator[FileFingerprint]:
    """Write the copies that older formats did not have."""
    for path in sorted(directory.glob("*.npz")):
        if file_names.ARTIFACT_PATTERN.fullmatch(path.name) and not path.match(file_names.mirror_name("*.npz")):
            content = path.read_bytes()
            atomic_files.write(path.with_name(file_names.mirror_name(path.name)), content)
            yield compute_fingerprint(path.name, content)


def _checkpoint(directory: Path) -> Iterator[FileFingerprint]:
    """Write the one checkpoint under the name that tells its place; what a damaged one held is trained again."""
    from vaetui.storage import tensors  # brings NumPy, and most sessions are up to date

    try:
        content = (directory / file_names.LEGACY_CHECKPOINT_NAME).read_bytes()
        tensors.from_bytes(content)
        name = file_names.checkpoint_name(*tensors.read_position(content))
    except (FileNotFoundError, UserError):
        return
    atomic_files.write(directory / name, content)
    yield compute_fingerprint(name, content)


def is_older(facts: Path) -> bool:
    """Tell whether facts are of an older format; damaged ones are not, whatever they say."""
    try:
        with contextlib.closing(database.connect(facts)) as base:
            older = database.format_version(base) in MIGRATIONS
        if older:
            database.open_validated(facts).close()
        return older
    except (OSError, ValueError, sqlite3.Error, UserError):
        return False

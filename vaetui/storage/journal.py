"""Every change of the facts once more, a line each with a checksum; it does not know what the changes mean.

SQLite notices a torn file, but not a flipped bit in an answer; this does, and either can be made from the other.
"""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from vaetui.storage import atomic_files

Change: TypeAlias = tuple[str, tuple[object, ...]]
"""One statement by its name in `schema.CHANGES`, with its values."""
MAX_FILE_BYTES = 64_000_000
"""Bytes that are read of a ledger or a database: a run of a million images and a hundred epochs needs a third."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """What was changed in one transaction."""

    number: int
    """Its number in the session, ascending without gaps."""
    changes: tuple[Change, ...]
    """What was done, in order."""


@dataclass(frozen=True, slots=True)
class JournalScan:
    """What a ledger was found to hold."""

    entries: tuple[JournalEntry, ...]
    """The whole ones, in order."""
    intact_bytes: int
    """Bytes up to the end of the last whole one: what follows was being written at a crash."""
    lost_count: int
    """Lines that are damaged, or missing between others."""

    @property
    def last_number(self) -> int:
        """The number of the last entry, 0 without one."""
        return self.entries[-1].number if self.entries else 0


class Journal:
    """A ledger being written; an entry is on the disk when `append` returns."""

    def __init__(self, path: Path) -> None:
        """Open it behind its last entry."""
        with atomic_files.translate_os_errors(path):
            # Without a buffer, which would keep what a full disk did not take, and write it when there is room.
            self._file = atomic_files.open_for_writing(path, os.O_APPEND).detach()
        self._size_before_append = 0

    def append(self, entry: JournalEntry) -> None:
        """Add an entry, which `withdraw` takes out again; raises OSError on a full disk."""
        self._size_before_append = os.fstat(self._file.fileno()).st_size
        rest = memoryview(format_line(entry))
        while rest:
            rest = rest[self._file.write(rest) :]
        os.fsync(self._file.fileno())

    def truncate_last(self) -> None:
        """Take out the last entry, whole or not: what it says did not come to be."""
        os.ftruncate(self._file.fileno(), self._size_before_append)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def format_line(entry: JournalEntry) -> bytes:
    """Write an entry as one line."""
    text = json.dumps([entry.number, entry.changes], separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def scan_journal(path: Path) -> JournalScan:
    """Read all that is whole; one that is larger than any ledger is not.

    Raises Trouble for a file that cannot be read.
    """
    with atomic_files.translate_os_errors(path):
        if path.stat().st_size > MAX_FILE_BYTES:
            return JournalScan((), 0, 1)
        content = path.read_bytes()
    entries: list[JournalEntry] = []
    size = at = bad = lost = 0
    while (end := content.find(b"\n", at) + 1) > 0:
        entry = _parse_line(content[at : end - 1])
        at = end
        if entry is None or (entries and entry.number <= entries[-1].number):
            bad += 1
            continue
        gap = entry.number - entries[-1].number - 1 if entries else 0
        lost += max(gap, bad)
        bad, size = 0, end
        entries.append(entry)
    return JournalScan(tuple(entries), size, lost)


def _parse_line(line: bytes) -> JournalEntry | None:
    """Read one line; None for a damaged one."""
    if len(line) < 9 or line[:9] != b"%08x " % zlib.crc32(line[9:]):
        return None
    try:
        number, changes = json.loads(line[9:])
        return JournalEntry(int(number), tuple((str(what), tuple(values)) for what, values in changes))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None  # the checksum holds, so somebody made it so

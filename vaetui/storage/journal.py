"""A checksummed line for every change of the database, from which the database can be rebuilt.

SQLite detects a torn file, but not a flipped bit in an answer; the checksums do.
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
"""The name of a statement in `schema.CHANGE_STATEMENTS`, and its values."""
MAX_FILE_BYTES = 64_000_000
"""Size limit of a journal or a database; a run with a million images and a hundred epochs needs a third of it."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """The changes of one transaction."""

    number: int
    """Its number in the session, ascending without gaps."""
    changes: tuple[Change, ...]
    """The changes in order."""


@dataclass(frozen=True, slots=True)
class JournalScan:
    """The content of a journal file."""

    entries: tuple[JournalEntry, ...]
    """The intact entries in order."""
    intact_bytes: int
    """Length up to the end of the last intact entry; a crash may have left part of a line behind it."""
    lost_count: int
    """Number of damaged lines, and of entries missing between others."""

    @property
    def last_number(self) -> int:
        """The number of the last entry, 0 without entries."""
        return self.entries[-1].number if self.entries else 0


class Journal:
    """An open journal; an entry is on the disk when `append` returns."""

    def __init__(self, path: Path) -> None:
        """Open the file for appending; a missing one is created."""
        with atomic_files.translate_os_errors(path):
            # Unbuffered: a buffer would keep what a full disk refused, and write it once there is room.
            self._file = atomic_files.open_for_writing(path, os.O_APPEND).detach()
        self._size_before_append = 0

    def append(self, entry: JournalEntry) -> None:
        """Append an entry; raises OSError, for instance on a full disk."""
        self._size_before_append = os.fstat(self._file.fileno()).st_size
        rest = memoryview(format_line(entry))
        while rest:
            rest = rest[self._file.write(rest) :]
        os.fsync(self._file.fileno())

    def remove_last_entry(self) -> None:
        """Remove the last entry, complete or not, whose transaction failed."""
        os.ftruncate(self._file.fileno(), self._size_before_append)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def format_line(entry: JournalEntry) -> bytes:
    """Return an entry as one line: CRC-32 in hexadecimal digits, a space, JSON."""
    text = json.dumps([entry.number, entry.changes], separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def scan_journal(path: Path) -> JournalScan:
    """Read the intact entries; too large a file counts as one lost line; raises UserError if it cannot be read."""
    with atomic_files.translate_os_errors(path):
        if path.stat().st_size > MAX_FILE_BYTES:
            return JournalScan((), 0, 1)
        content = path.read_bytes()
    entries: list[JournalEntry] = []
    intact_bytes = position = damaged_count = lost_count = 0
    while (end := content.find(b"\n", position) + 1) > 0:
        entry = _parse_line(content[position : end - 1])
        position = end
        if entry is None or (entries and entry.number <= entries[-1].number):
            damaged_count += 1
            continue
        gap = entry.number - entries[-1].number - 1 if entries else 0
        lost_count += max(gap, damaged_count)
        damaged_count, intact_bytes = 0, end
        entries.append(entry)
    return JournalScan(tuple(entries), intact_bytes, lost_count)


def _parse_line(line: bytes) -> JournalEntry | None:
    if len(line) < 9 or line[:9] != b"%08x " % zlib.crc32(line[9:]):
        return None
    try:
        number, changes = json.loads(line[9:])
        return JournalEntry(int(number), tuple((str(name), tuple(values)) for name, values in changes))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None  # the checksum is right: the line was forged

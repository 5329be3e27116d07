"""What one process leaves in a session's directory for another one: that it is wanted, why it ended.

It does not know who reads them. A note works between machines that share a disk, and a false one stops a training
that is saved anyway: nothing is ever signalled by a number that a file holds.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from vaetui.storage import atomic_files, file_names
from vaetui.storage.atomic_files import explained

LONG = 1000
"""Bytes of a failure, always so many: written over the ones before it needs no room on a full disk."""


def ask(directory: Path) -> None:
    """Ask whoever works on a session without a terminal to leave it."""
    path = file_names.request(directory)
    with explained(path), suppress(FileExistsError):
        atomic_files.written(path, os.O_EXCL).close()


def asked(directory: Path) -> bool:
    """Tell whether somebody wants the session."""
    return _is_file(file_names.request(directory))


def withdraw(directory: Path) -> None:
    """Want the session no more."""
    with suppress(OSError):
        file_names.request(directory).unlink()


def confess(directory: Path, failure: str) -> None:
    """Keep why the work without a terminal ended, for whoever looks next.

    It is told beforehand what will be so should nothing be said any more, and swept when all went well.
    """
    path = file_names.failure(directory)
    # In place, and not cut off before: both would need room.
    with explained(path), atomic_files.written(path, 0) as file:
        file.write(failure.encode()[:LONG].ljust(LONG))
        file.flush()
        os.fsync(file.fileno())


def failure(directory: Path) -> str | None:
    """Give why the work without a terminal ended, as one printable line; None where nothing went wrong."""
    path = file_names.failure(directory)
    if not _is_file(path):
        return None
    with atomic_files.read(path) as file:
        told = file.read(LONG).decode(errors="replace")
    return "".join(filter(str.isprintable, told)).strip()


def sweep(directory: Path) -> None:
    """Remove all notes: they were read, or were meant for nobody who is here."""
    for path in (file_names.request(directory), file_names.failure(directory)):
        with suppress(OSError):
            path.unlink()


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False

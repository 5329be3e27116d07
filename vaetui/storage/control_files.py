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
from vaetui.storage.atomic_files import translate_os_errors

FAILURE_BYTES = 1000
"""Bytes of a failure, always so many: written over the ones before it needs no room on a full disk."""


def request_release(directory: Path) -> None:
    """Ask whoever works on a session without a terminal to leave it."""
    path = file_names.release_request_path(directory)
    with translate_os_errors(path), suppress(FileExistsError):
        atomic_files.open_for_writing(path, os.O_EXCL).close()


def is_release_requested(directory: Path) -> bool:
    """Tell whether somebody wants the session."""
    return _is_regular_file(file_names.release_request_path(directory))


def cancel_release_request(directory: Path) -> None:
    """Want the session no more."""
    with suppress(OSError):
        file_names.release_request_path(directory).unlink()


def record_failure(directory: Path, message: str) -> None:
    """Keep why the work without a terminal ended, for whoever looks next.

    It is told beforehand what will be so should nothing be said any more, and swept when all went well.
    """
    path = file_names.failure_path(directory)
    # In place, and not cut off before: both would need room.
    with translate_os_errors(path), atomic_files.open_for_writing(path, 0) as file:
        file.write(message.encode()[:FAILURE_BYTES].ljust(FAILURE_BYTES))
        file.flush()
        os.fsync(file.fileno())


def read_failure(directory: Path) -> str | None:
    """Give why the work without a terminal ended, as one printable line; None where nothing went wrong."""
    path = file_names.failure_path(directory)
    if not _is_regular_file(path):
        return None
    with atomic_files.open_for_reading(path) as file:
        told = file.read(FAILURE_BYTES).decode(errors="replace")
    return "".join(filter(str.isprintable, told)).strip()


def remove_control_files(directory: Path) -> None:
    """Remove all notes: they were read, or were meant for nobody who is here."""
    for path in (file_names.release_request_path(directory), file_names.failure_path(directory)):
        with suppress(OSError):
            path.unlink()


def _is_regular_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False

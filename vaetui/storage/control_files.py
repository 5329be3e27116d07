"""Two small files by which processes communicate through a session directory: a release request and a failure.

Files work between machines that share a disk. A forged request only ends training whose state is saved; no process id
from a file is ever signalled.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from vaetui.errors import is_printable_text
from vaetui.storage import atomic_files, file_names
from vaetui.storage.atomic_files import translate_os_errors

FAILURE_BYTES = 1000
"""Fixed length of the failure file: overwriting it in place needs no room on a full disk."""


def request_release(directory: Path) -> None:
    """Ask the background process that trains a session to stop."""
    path = file_names.release_request_path(directory)
    with translate_os_errors(path), suppress(FileExistsError):
        atomic_files.open_for_writing(path, os.O_EXCL).close()


def is_release_requested(directory: Path) -> bool:
    """Return whether another process asked for the session."""
    return _is_regular_file(file_names.release_request_path(directory))


def cancel_release_request(directory: Path) -> None:
    """Withdraw the request."""
    with suppress(OSError):
        file_names.release_request_path(directory).unlink()


def record_failure(directory: Path, message: str) -> None:
    """Store why background training ended.

    Call it first with a message for the case that the process dies silently, and `remove_control_files` on success.
    """
    path = file_names.failure_path(directory)
    # In place and without truncating the file first: both would need room on the disk.
    with translate_os_errors(path), atomic_files.open_for_writing(path, 0) as file:
        file.write(message.encode(errors="backslashreplace")[:FAILURE_BYTES].ljust(FAILURE_BYTES))
        file.flush()
        os.fsync(file.fileno())


def read_failure(directory: Path) -> str | None:
    """Return why background training ended, as one printable line; None if it did not fail."""
    path = file_names.failure_path(directory)
    if not _is_regular_file(path):
        return None
    with atomic_files.open_for_reading(path) as file:
        text = file.read(FAILURE_BYTES).decode(errors="replace")
    return "".join(filter(is_printable_text, text)).strip()


def remove_control_files(directory: Path) -> None:
    """Remove both files."""
    for path in (file_names.release_request_path(directory), file_names.failure_path(directory)):
        with suppress(OSError):
            path.unlink()


def _is_regular_file(path: Path) -> bool:
    return os.path.isfile(path) and not os.path.islink(path)

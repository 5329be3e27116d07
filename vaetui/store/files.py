"""Writing a file so that a crash leaves the old one or the new one; it does not know what is in it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vaetui.trouble import Trouble

PARTIAL = ".partial"
"""The ending of a file that is being written."""


def write(path: Path, content: bytes) -> None:
    """Write a file in one piece: to a temporary name beside it, synced, renamed, the directory synced.

    Raises Trouble on a full or unwritable disk; then the old file, if there was one, is untouched.
    """
    partial = path.with_name(path.name + PARTIAL)
    with explained(path):
        try:
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            sync(path.parent)
        except OSError:
            with suppress(OSError):
                partial.unlink()
            raise


def sync(directory: Path) -> None:
    """Make the names in a directory outlast a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(directory: Path) -> None:
    """Remove what a crash left half written below a directory."""
    for partial in directory.rglob(f"*{PARTIAL}"):
        partial.unlink(missing_ok=True)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn a failure of the disk into Trouble that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Trouble(full(path)) from error
        raise Trouble(f"{path} cannot be written ({error.strerror}).") from error


def full(path: Path) -> str:
    """Say that the disk of a file is full, and what to do."""
    return f"The disk that holds {path.parent} is full; make room and resume, nothing that was saved is lost."

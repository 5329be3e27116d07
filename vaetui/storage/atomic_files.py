"""Writing a file so that a crash leaves the old one or the new one; it does not know what is in it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path

from vaetui.errors import UserError

PARTIAL_SUFFIX = ".partial"
"""The ending of a file that is being written."""
CHUNK_BYTES = 1 << 20
"""Bytes that are read at a time of what may be large."""
NOFOLLOW_FLAG = getattr(os, "O_NOFOLLOW", 0)
"""Do not follow a link, where the system can tell."""


def write(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file in one piece: to a temporary name beside it, synced, renamed, the directory synced.

    Raises Trouble on a full or unwritable disk; then the old file, if there was one, or the new one stands whole.
    """
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    with translate_os_errors(path):
        try:
            with open_for_writing(partial, os.O_TRUNC) as file:
                file.writelines([content] if isinstance(content, bytes) else content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            sync_directory(path.parent)
        except OSError:
            with suppress(OSError):
                partial.unlink()
            raise


def open_for_writing(path: Path, flags: int) -> BufferedWriter:
    """Open a file, and no link in its place, to be written; a new one is for its owner alone."""
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | NOFOLLOW_FLAG | flags, 0o600), "wb")


def open_for_reading(path: Path) -> BufferedReader:
    """Open a file, and no link in its place, to be read; a pipe keeps nobody waiting."""
    return open(os.open(path, os.O_RDONLY | NOFOLLOW_FLAG | getattr(os, "O_NONBLOCK", 0)), "rb")


def read_chunks(file: BufferedReader) -> Iterator[bytes]:
    """Read a file piece by piece, so that it need not fit memory."""
    return iter(lambda: file.read(CHUNK_BYTES), b"")


def sync_directory(directory: Path) -> None:
    """Make the names in a directory outlast a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems sync no directories
            raise
    finally:
        os.close(handle)


def remove_partial_files(directory: Path) -> None:
    """Remove what a crash left half written in a directory."""
    with translate_os_errors(directory):
        for partial in directory.glob(f"*{PARTIAL_SUFFIX}*"):  # also a journal of one
            partial.unlink(missing_ok=True)


@contextmanager
def translate_os_errors(path: Path) -> Iterator[None]:
    """Turn a failure of the disk into Trouble that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(disk_full_message(path)) from error
        raise UserError(f"{path} cannot be used ({error.strerror or error}).") from error


def disk_full_message(path: Path) -> str:
    """Say that the disk of a file is full, and what to do."""
    return f"The disk that holds {path.parent} is full; make room and try again, nothing that was saved is lost."

"""File writing that leaves the old or the new content after a crash, and safe opening of files."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import BinaryIO, TypeAlias

from vaetui.errors import UserError

PARTIAL_SUFFIX = ".partial"
"""Suffix of a file that is being written."""
CHUNK_BYTES = 1 << 20
"""Bytes read at a time from files of any size."""
SYNC_BYTES = 1 << 26
"""Bytes of a large file that are written before each sync, which takes less than half a second on most disks."""
Buffer: TypeAlias = bytes | memoryview
"""What is written to a file."""
NOFOLLOW_FLAG = getattr(os, "O_NOFOLLOW", 0)
"""Refuse to open a symbolic link, where the system supports it."""


def replace_file(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Replace a file atomically: write a temporary file beside it, sync, rename, sync the directory.

    Raises UserError if the disk is full or not writable; then either the old or the new file is complete.
    """
    partial_path = path.with_name(path.name + PARTIAL_SUFFIX)
    with translate_os_errors(path), write_partial_file(partial_path, content):
        partial_path.replace(path)
        sync_directory(path.parent)


def replace_files_in_steps(paths: Sequence[Path], chunks: Iterable[Buffer]) -> Iterator[Buffer]:
    """Replace files atomically by the same content, as `replace_file` does; yield each chunk once it is written.

    Closing the iterator, or an error, leaves the old files. Raises UserError if the disk is full or not writable.
    """
    partial_paths = [path.with_name(path.name + PARTIAL_SUFFIX) for path in paths]
    with remove_unfinished(partial_paths):
        with translate_os_errors(paths[0]), ExitStack() as stack:  # closing a file writes, too
            files = [stack.enter_context(open_for_writing(path, os.O_TRUNC)) for path in partial_paths]
            yield from write_in_steps(files, chunks)
        for path, partial_path in zip(paths, partial_paths, strict=True):
            with translate_os_errors(path):
                partial_path.replace(path)
                sync_directory(path.parent)


@contextmanager
def write_partial_file(
    partial_path: Path, content: bytes | Iterable[bytes], permissions: int | None = None
) -> Iterator[None]:
    """Write and sync a file for a block that renames it; if either fails, the file is removed.

    Without `permissions`, only its owner can read it.
    """
    with remove_unfinished([partial_path]):
        with open_for_writing(partial_path, os.O_TRUNC) as file:
            if permissions is not None:
                os.fchmod(file.fileno(), permissions)
            file.writelines([content] if isinstance(content, bytes) else content)
            _sync_file(file)
        yield


@contextmanager
def remove_unfinished(partial_paths: Iterable[Path]) -> Iterator[None]:
    """Remove the files if the block that writes and renames them fails or is closed."""
    try:
        yield
    except BaseException:
        for partial_path in partial_paths:
            with suppress(OSError):
                partial_path.unlink(missing_ok=True)
        raise


def write_in_steps(files: Sequence[BinaryIO], chunks: Iterable[Buffer]) -> Iterator[Buffer]:
    """Write the same content to open files and sync them; yield each chunk once it is written.

    Chunks are synced as they come, so that no single step waits for a large file to reach the disk.
    """
    unsynced_bytes = 0
    for chunk in chunks:
        for file in files:
            file.write(chunk)
        unsynced_bytes += memoryview(chunk).nbytes
        if unsynced_bytes >= SYNC_BYTES:
            for file in files:
                _sync_file(file)
            unsynced_bytes = 0
        yield chunk
    for file in files:
        _sync_file(file)


def _sync_file(file: BinaryIO) -> None:
    """Make the content of a file survive a power cut; a pipe or device cannot be synced, only written."""
    file.flush()
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        os.fsync(file.fileno())


def open_for_writing(path: Path, flags: int) -> BufferedWriter:
    """Open a file for writing without following a link; a new file is readable by its owner only."""
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | NOFOLLOW_FLAG | flags, 0o600), "wb")


def open_for_reading(path: Path) -> BufferedReader:
    """Open a file for reading without following a link and without waiting for the other end of a pipe."""
    return open(os.open(path, os.O_RDONLY | NOFOLLOW_FLAG | getattr(os, "O_NONBLOCK", 0)), "rb")


def read_chunks(file: BufferedReader) -> Iterator[bytes]:
    """Yield the content of a file in chunks, so that it need not fit into memory."""
    return iter(lambda: file.read(CHUNK_BYTES), b"")


def sync_directory(directory: Path) -> None:
    """Make the entries of a directory survive a power cut, where the system supports it."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot sync directories
            raise
    finally:
        os.close(descriptor)


def remove_partial_files(directory: Path) -> None:
    """Remove the files that a crash left half-written in a directory."""
    with translate_os_errors(directory):
        for partial_path in directory.glob(f"*{PARTIAL_SUFFIX}*"):  # also the SQLite journal of one
            partial_path.unlink(missing_ok=True)


@contextmanager
def translate_os_errors(path: Path) -> Iterator[None]:
    """Convert OSError to UserError, with a sentence on what to do about a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(disk_full_message(path)) from error
        if isinstance(error, BrokenPipeError):
            raise UserError(f"The program that reads {path} has closed it, so the output is incomplete.") from error
        raise UserError(
            f"Cannot use {path} ({error.strerror or error}). Check the path and its permissions."
        ) from error


def disk_full_message(path: Path) -> str:
    """Return the message for a full disk."""
    return f"The disk that contains {path.parent} is full. Free some space and try again; all saved answers are intact."

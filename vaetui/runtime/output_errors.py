"""Turn a full disk, a closed pipe and a path that cannot be used into one sentence."""

from __future__ import annotations

import errno
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from vaetui.errors import UserError

FULL_DISK_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of a write for which there is no space: on the disk, in the quota, or under the limit of a file's size."""
UNUSABLE_PATH_ERRNOS = frozenset({errno.ENAMETOOLONG, errno.EACCES, errno.EROFS, errno.ELOOP})
"""Errors of paths that the user can correct."""
CLOSED_PIPE_MESSAGE = "The program that reads the output has closed it, so the output is incomplete."
CLOSED_OUTPUT_MESSAGE = "Standard output is closed. Redirect it to a file, or to /dev/null."


@contextmanager
def translate_output_errors() -> Iterator[None]:
    """Raise UserError in place of the error of a write to a full disk or to a pipe without a reader, or of a bad path.

    Other errors pass unchanged. What is still buffered for such an output is discarded, because Python would report it
    at exit.
    """
    try:
        yield
    except OSError as error:
        if message := _describe_output_error(error):
            _discard_broken_streams()
            raise UserError(message) from error
        raise
    except SystemExit as error:
        # Rich exits with status 1 when it finds the pipe closed.
        if isinstance(error.__context__, BrokenPipeError):
            _discard_broken_streams()
            raise UserError(CLOSED_PIPE_MESSAGE) from error
        raise


def flush_standard_output() -> None:
    """Write what is buffered for standard output; raises OSError if that is not possible."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _describe_output_error(error: OSError) -> str:
    """Return the sentence for a full disk, a closed pipe or a path that cannot be used, or "" for another error."""
    if error.errno in FULL_DISK_ERRNOS:
        place = f"write {error.filename}" if error.filename else "write the whole output"
        return f"Cannot {place} ({error.strerror}). Free some space and try again; all saved answers are intact."
    # A pipe to a process that died raises the same error, so the standard streams must be the cause.
    if isinstance(error, BrokenPipeError) and any(map(_has_lost_reader, (sys.stdout, sys.stderr))):
        return CLOSED_PIPE_MESSAGE
    if error.errno in UNUSABLE_PATH_ERRNOS and isinstance(error.filename, str):
        return f"Cannot use {error.filename} ({error.strerror}). Check the path and its permissions."
    if error.errno == errno.EIO and not error.filename:
        return f"Cannot write the whole output ({error.strerror}). Check its disk or terminal, and try again."
    return ""


def _has_lost_reader(stream: IO[str] | None) -> bool:
    """Return whether the stream is a pipe that no process reads."""
    with suppress(OSError, ValueError, AttributeError):
        poll = select.poll()
        poll.register(stream.fileno(), 0)  # type: ignore[union-attr]
        return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))
    return False


def _discard_broken_streams() -> None:
    """Redirect each standard stream that cannot be flushed, or whose reader is gone, to the null device."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not _has_lost_reader(stream):
                stream.flush()
                continue
        except (OSError, ValueError):
            pass
        with suppress(OSError, ValueError, AttributeError):
            null_fd = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null_fd, stream.fileno())
            os.close(null_fd)

"""A process that outlives its terminal; it does not know what it works on."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from vaetui.errors import UserError

INHERITED_FD_LIMIT = 1024
"""No shell hands down a file descriptor as high as that."""


def daemonize() -> Callable[[], None]:
    """Go on in a child process, and give what makes it leave the terminal; the parent ends when that is done.

    Should the child end before, the parent ends with its status. Raises Trouble where the system has no such thing.
    """
    if not (hasattr(os, "fork") and hasattr(os, "setsid")):
        raise UserError("This system cannot go on without its terminal; run it again without --detach.")
    sys.stdout.flush()
    sys.stderr.flush()
    hears, tells = os.pipe()
    child = os.fork()
    if child:
        os.close(tells)
        _wait_for_child(child, hears)
    # What a shell or a build server has open besides would be waited for as long as this process lives.
    os.closerange(3, tells)
    os.closerange(tells + 1, INHERITED_FD_LIMIT)
    return lambda: _leave_terminal(tells)


def _wait_for_child(child_pid: int, read_fd: int) -> None:
    """End when the child has left the terminal, or with its status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child gets it too, and saves first
    if os.read(read_fd, 1):
        sys.exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child_pid, 0)[1])
    sys.exit(128 - status if status < 0 else status)


def _leave_terminal(write_fd: int) -> None:
    """Belong to no terminal and keep no directory busy, and tell the parent."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    if nowhere > 2:
        os.close(nowhere)
    os.chdir("/")
    with suppress(BrokenPipeError):  # the parent was killed meanwhile
        os.write(write_fd, b".")
    os.close(write_fd)

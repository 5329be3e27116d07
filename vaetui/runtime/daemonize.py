"""Continue in a child process that outlives the terminal."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from vaetui.errors import UserError


def fork_to_background() -> Callable[[], None]:
    """Continue in a child process and return the function that detaches it from the terminal.

    The parent exits with status 0 once the child has detached, or with the child's status if the child exits first.
    Raises UserError if the system has no fork.
    """
    if not (hasattr(os, "fork") and hasattr(os, "setsid")):
        raise UserError("--detach is not supported on this system. Run the command without it.")
    sys.stdout.flush()
    sys.stderr.flush()
    read_fd, write_fd = os.pipe()
    child_pid = os.fork()
    if child_pid:
        os.close(write_fd)
        _wait_for_child(child_pid, read_fd)
    # The readers of inherited pipes would wait for this process as long as it holds them open. Shells and build servers
    # pass only file descriptors below 1024.
    os.closerange(3, write_fd)
    os.closerange(write_fd + 1, 1024)
    return lambda: _leave_terminal(write_fd)


def _wait_for_child(child_pid: int, read_fd: int) -> None:
    """Exit when the child has detached, or with its exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C also reaches the child, which saves before it exits.
    if os.read(read_fd, 1):
        sys.exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child_pid, 0)[1])
    sys.exit(128 - status if status < 0 else status)


def _leave_terminal(write_fd: int) -> None:
    """Start a new session, redirect the standard streams, release the working directory and notify the parent."""
    os.setsid()
    null_fd = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null_fd, fd)
    if null_fd > 2:
        os.close(null_fd)
    os.chdir("/")
    with suppress(BrokenPipeError):  # The parent may have been killed.
        os.write(write_fd, b".")
    os.close(write_fd)

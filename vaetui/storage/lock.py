"""One writer of a session at a time, and who it is; it does not know what is written."""

from __future__ import annotations

import getpass
import json
import os
import platform
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from vaetui.errors import Trouble
from vaetui.storage import atomic_files, control_files, file_names
from vaetui.storage.atomic_files import explained

WAIT = 0.2
"""Seconds in which a lock counts as free: who merely looks holds it for a moment."""
INTRODUCED = 1.0
"""Seconds in which a new holder has written who it is."""
LONG = 1000
"""Bytes that are read of what a holder wrote of itself, which may come from a stranger."""
MOST = 1 << 32
"""No process has a number as high as that."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the right to write a session; text of it is safe to print, and none of it is fit to be signalled."""

    user: str = ""
    """The user's name."""
    host: str = ""
    """The machine."""
    process: int = 0
    """The number of the process; 0 where nothing is known."""
    detached: bool = False
    """Whether it works without a terminal, so that nobody sits before it."""

    def __str__(self) -> str:
        """Name it in a sentence."""
        return f"{self.user} on {self.host}, process {self.process}" if self.process else "another process"


class Lock:
    """The right to write a session, held until it is released or the process ends, however it ends."""

    def __init__(self, directory: Path) -> None:
        """Take the right, and forget who wanted it before.

        Raises Trouble that names the holder where somebody has it.
        """
        path = file_names.lock(directory)
        self._lock = FileLock(path, mode=0o600)
        self._directory = directory
        with explained(path):
            if path.is_symlink():
                raise Trouble(f"{path} is a link, which it is in no session of vaetui; delete it and try again.")
            try:
                self._lock.acquire(timeout=WAIT, poll_interval=WAIT / 10)
            except Timeout as error:
                raise Trouble(_refusal(directory)) from error
        with suppress(OSError):  # on a full disk the lock holds all the same
            control_files.withdraw(directory)
            _introduce(directory, detached=False)

    def release(self) -> None:
        """Give the right back."""
        with suppress(OSError):
            file_names.holder(self._directory).unlink(missing_ok=True)
        self._lock.release()


def detach(directory: Path) -> None:
    """Tell, as the holder, that nobody sits before this process any more: another one may ask it to leave."""
    with explained(file_names.holder(directory)):
        _introduce(directory, detached=True)


def holder(directory: Path) -> Holder | None:
    """Tell who holds the right now, by the lock itself, since files outlive who wrote them; None for nobody."""
    who = _read(file_names.holder(directory))  # before the lock is looked at: it goes away first
    return who if _held(file_names.lock(directory)) else None


def _held(path: Path) -> bool:
    try:
        import fcntl
    except ImportError:  # no system without it can detach, and nothing else needs to know
        return False
    try:
        file = atomic_files.read(path)
    except OSError:
        return False
    with file:
        try:
            # Shared, so that two who look do not take each other for a holder.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _introduce(directory: Path, detached: bool) -> None:
    path = file_names.holder(directory)
    path.unlink(missing_ok=True)  # it may be a link that leads out of the session
    with atomic_files.written(path, os.O_EXCL) as file:
        file.write(json.dumps(asdict(Holder(_user(), platform.node(), os.getpid(), detached))).encode())


def _read(path: Path) -> Holder:
    """Read what a holder wrote of itself; nothing is known where that makes no sense."""
    try:
        with atomic_files.read(path) as file:
            who = json.loads(file.read(LONG))
        user, host, process = who["user"], who["host"], who["process"]
        if not (isinstance(process, int) and 0 < process < MOST):
            return Holder()
        return Holder(_safe(user), _safe(host), process, who.get("detached") is True)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Holder()


def _safe(text: str) -> str:
    return "".join(filter(str.isprintable, text))[:64]


def _refusal(directory: Path) -> str:
    end = time.monotonic() + INTRODUCED
    while not (who := _read(file_names.holder(directory))).process and time.monotonic() < end:
        time.sleep(WAIT / 10)
    name = directory.name
    if who.detached:
        return f"The session {name} is trained without a terminal by {who}; take it over with: vaetui resume {name}"
    return f"The session {name} is in use by {who}; leave it there first."


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return "somebody"

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

from vaetui.errors import UserError
from vaetui.storage import atomic_files, control_files, file_names
from vaetui.storage.atomic_files import translate_os_errors

ACQUIRE_TIMEOUT_S = 0.2
"""Seconds in which a lock counts as free: who merely looks holds it for a moment."""
HOLDER_TIMEOUT_S = 1.0
"""Seconds in which a new holder has written who it is."""
MAX_HOLDER_BYTES = 1000
"""Bytes that are read of what a holder wrote of itself, which may come from a stranger."""
MAX_PROCESS_ID = 1 << 32
"""No process has a number as high as that."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the right to write a session; text of it is safe to print, and none of it is fit to be signalled."""

    user: str = ""
    """The user's name."""
    host: str = ""
    """The machine."""
    process_id: int = 0
    """The number of the process; 0 where nothing is known."""
    is_detached: bool = False
    """Whether it works without a terminal, so that nobody sits before it."""

    def __str__(self) -> str:
        """Name it in a sentence."""
        return f"{self.user} on {self.host}, process {self.process_id}" if self.process_id else "another process"


class Lock:
    """The right to write a session, held until it is released or the process ends, however it ends."""

    def __init__(self, directory: Path) -> None:
        """Take the right, and forget who wanted it before.

        Raises Trouble that names the holder where somebody has it.
        """
        path = file_names.lock_path(directory)
        self._file_lock = FileLock(path, mode=0o600)
        self._directory = directory
        with translate_os_errors(path):
            if path.is_symlink():
                raise UserError(f"{path} is a link, which it is in no session of vaetui; delete it and try again.")
            try:
                self._file_lock.acquire(timeout=ACQUIRE_TIMEOUT_S, poll_interval=ACQUIRE_TIMEOUT_S / 10)
            except Timeout as error:
                raise UserError(_in_use_message(directory)) from error
        with suppress(OSError):  # on a full disk the lock holds all the same
            control_files.cancel_release_request(directory)
            _write_holder(directory, is_detached=False)

    def release(self) -> None:
        """Give the right back."""
        with suppress(OSError):
            file_names.holder_path(self._directory).unlink(missing_ok=True)
        self._file_lock.release()


def mark_detached(directory: Path) -> None:
    """Tell, as the holder, that nobody sits before this process any more: another one may ask it to leave."""
    with translate_os_errors(file_names.holder_path(directory)):
        _write_holder(directory, is_detached=True)


def read_holder(directory: Path) -> Holder | None:
    """Tell who holds the right now, by the lock itself, since files outlive who wrote them; None for nobody."""
    who = _read_holder_file(file_names.holder_path(directory))  # before the lock is looked at: it goes away first
    return who if _is_locked(file_names.lock_path(directory)) else None


def _is_locked(path: Path) -> bool:
    try:
        import fcntl
    except ImportError:  # no system without it can detach, and nothing else needs to know
        return False
    try:
        file = atomic_files.open_for_reading(path)
    except OSError:
        return False
    with file:
        try:
            # Shared, so that two who look do not take each other for a holder.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _write_holder(directory: Path, is_detached: bool) -> None:
    path = file_names.holder_path(directory)
    path.unlink(missing_ok=True)  # it may be a link that leads out of the session
    with atomic_files.open_for_writing(path, os.O_EXCL) as file:
        file.write(json.dumps(asdict(Holder(_user_name(), platform.node(), os.getpid(), is_detached))).encode())


def _read_holder_file(path: Path) -> Holder:
    """Read what a holder wrote of itself; nothing is known where that makes no sense."""
    try:
        with atomic_files.open_for_reading(path) as file:
            who = json.loads(file.read(MAX_HOLDER_BYTES))
        user, host, process = who["user"], who["host"], who["process_id"]
        if not (isinstance(process, int) and 0 < process < MAX_PROCESS_ID):
            return Holder()
        return Holder(_sanitize_field(user), _sanitize_field(host), process, who.get("is_detached") is True)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Holder()


def _sanitize_field(text: str) -> str:
    return "".join(filter(str.isprintable, text))[:64]


def _in_use_message(directory: Path) -> str:
    end = time.monotonic() + HOLDER_TIMEOUT_S
    while not (who := _read_holder_file(file_names.holder_path(directory))).process_id and time.monotonic() < end:
        time.sleep(ACQUIRE_TIMEOUT_S / 10)
    name = directory.name
    if who.is_detached:
        return f"The session {name} is trained without a terminal by {who}; take it over with: vaetui resume {name}"
    return f"The session {name} is in use by {who}; leave it there first."


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return "somebody"

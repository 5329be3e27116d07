"""The lock of a session, which one writing process holds, and the description of that process."""

from __future__ import annotations

import getpass
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vaetui.errors import UserError, is_printable_text
from vaetui.storage import atomic_files, control_files, file_names
from vaetui.storage.atomic_files import translate_os_errors

ACQUIRE_TIMEOUT_S = 0.2
"""Seconds to wait for the lock: `read_holder` of another process holds it for a moment."""
HOLDER_TIMEOUT_S = 1.0
"""Seconds to wait until a new holder has written its description."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lock. Its text is safe to print; its process id must not be signalled."""

    user: str = ""
    """The name of the user."""
    host: str = ""
    """The name of the machine."""
    process_id: int = 0
    """The process id; 0 if unknown."""
    is_detached: bool = False
    """Whether it trains in the background, without a terminal."""

    def __str__(self) -> str:
        """Return a phrase for messages."""
        return f"process {self.process_id} of {self.user} on {self.host}" if self.process_id else "another process"


class Lock:
    """The exclusive right to write a session, held until release or until the process exits or is killed."""

    def __init__(self, directory: Path) -> None:
        """Acquire the lock and withdraw any release request.

        Raises UserError naming the holder if another process holds the lock.
        """
        self._file_lock = acquire_file_lock(file_names.lock_path(directory), lambda: build_in_use_message(directory))
        self._directory = directory
        with suppress(OSError):  # the lock is valid on a full disk as well
            control_files.cancel_release_request(directory)
            _write_holder(directory, is_detached=False)

    def release(self) -> None:
        """Release the lock."""
        with suppress(OSError):
            file_names.holder_path(self._directory).unlink(missing_ok=True)
        self._file_lock.release()


def acquire_file_lock(path: Path, build_in_use_message: Callable[[], str]) -> FileLock:
    """Acquire the lock on a file, which any thread may release.

    Raises UserError if another process holds it, with the message of the function.
    """
    file_lock = FileLock(path, mode=0o600, thread_local=False)
    with translate_os_errors(path):
        if path.is_symlink():
            raise UserError(f"{path} is a link, which vaetui never creates. Delete it and try again.")
        try:
            file_lock.acquire(timeout=ACQUIRE_TIMEOUT_S, poll_interval=ACQUIRE_TIMEOUT_S / 10)
        except Timeout as error:
            raise UserError(build_in_use_message()) from error
    return file_lock


def write_description(path: Path, fields: Mapping[str, object]) -> None:
    """Write the description of this process to a file."""
    path.unlink(missing_ok=True)  # it may be a link that leads out of the session
    with atomic_files.open_for_writing(path, os.O_EXCL) as file:
        file.write(json.dumps(fields).encode())


def read_description(path: Path, text_names: Sequence[str] = ("user", "host")) -> dict[str, Any]:
    """Return the description of a process, its texts safe to print; an empty one if the file is missing or invalid."""
    try:
        with atomic_files.open_for_reading(path) as file:
            fields = json.loads(file.read(1000))  # limit the size: another user may have written it
        texts = {name: "".join(filter(is_printable_text, fields[name]))[:64] for name in text_names}
        process_id = fields["process_id"]
        is_valid = type(process_id) is int and 0 < process_id < 1 << 32  # above every valid process id
        return {**fields, **texts} if is_valid else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def mark_detached(directory: Path) -> None:
    """Record that this process, which holds the lock, has left its terminal and may be asked to release it."""
    with translate_os_errors(file_names.holder_path(directory)):
        _write_holder(directory, is_detached=True)


def read_holder(directory: Path) -> Holder | None:
    """Return the process that holds the lock now, or None; a description left by a dead process is ignored."""
    holder = _read_holder_file(file_names.holder_path(directory))  # first: it is removed before the lock is released
    return holder if is_locked(file_names.lock_path(directory)) else None


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock on a file."""
    try:
        import fcntl
    except ImportError:  # only for background training, which does not exist on such systems
        return False
    try:
        file = atomic_files.open_for_reading(path)
    except OSError:
        return False
    with file:
        try:
            # A shared lock: two processes that test at once do not mistake each other for the holder.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _write_holder(directory: Path, is_detached: bool) -> None:
    holder = Holder(get_user_name(), platform.node(), os.getpid(), is_detached)
    write_description(file_names.holder_path(directory), asdict(holder))


def _read_holder_file(path: Path) -> Holder:
    """Return the description of a holder; an empty one if the file is missing or invalid."""
    fields = read_description(path)
    if not fields:
        return Holder()
    return Holder(fields["user"], fields["host"], fields["process_id"], fields.get("is_detached") is True)


def build_in_use_message(directory: Path) -> str:
    """Return that another process holds the lock, and what to do about it."""
    deadline = time.monotonic() + HOLDER_TIMEOUT_S
    holder_path = file_names.holder_path(directory)
    while not (holder := _read_holder_file(holder_path)).process_id and time.monotonic() < deadline:
        time.sleep(ACQUIRE_TIMEOUT_S / 10)
    name = directory.name
    if holder.is_detached:
        advice = f"Continue it with: vaetui resume {name}, or stop it with: vaetui stop {name}"
        return f"Session {name} is being trained in the background by {holder}. {advice}"
    return f"Session {name} is open in {holder}. Close it there first."


def get_user_name() -> str:
    """Return the name of the user who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a user id without a name
        return "unknown user"

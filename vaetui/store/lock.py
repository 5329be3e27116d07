"""One writer of a session at a time; it does not know what is written."""

from __future__ import annotations

import getpass
import json
import os
import platform
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from vaetui.store.files import explained
from vaetui.trouble import Trouble


class Lock:
    """The right to write a session, held until it is released or the process ends, however it ends."""

    def __init__(self, directory: Path) -> None:
        """Take the right.

        Raises Trouble that names the holder where somebody has it.
        """
        self._lock = FileLock(directory / "lock", mode=0o600)
        self._holder = directory / "holder.json"
        with explained(directory / "lock"):
            try:
                self._lock.acquire(timeout=0)
            except Timeout as error:
                raise Trouble(f"The session {directory.name} is in use {self._who()}; leave it there first.") from error
        me = {"process": os.getpid(), "host": platform.node(), "user": _user()}
        with suppress(OSError):  # on a full disk the lock holds all the same
            self._holder.write_text(json.dumps(me))

    def release(self) -> None:
        """Give the right back."""
        self._holder.unlink(missing_ok=True)
        self._lock.release()

    def _who(self) -> str:
        try:
            who = json.loads(self._holder.read_text())
            return f"by {who['user']} on {who['host']}, process {who['process']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "by another process"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return "somebody"

"""A directory outside a session that must not be touched, and a marker that must not be created."""

from __future__ import annotations

import ctypes
import os
from contextlib import ExitStack
from pathlib import Path

INOTIFY_EVENTS = 0x2 | 0x4 | 0x20 | 0xC0 | 0x100 | 0x200
"""Modified, attributes changed, opened, moved, created, deleted (inotify.h)."""


class Sandbox:
    """A watched directory of files; opening, changing or removing one of them is detected."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.marker = directory.with_name("executed")
        """A directory that code in a corrupted file would create."""
        directory.mkdir()
        self.open_resources = ExitStack()
        """What a corruption keeps open until the case is over."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK)
        assert self._descriptor >= 0, os.strerror(ctypes.get_errno())

    def watch(self) -> None:
        """Start to detect accesses."""
        result = self._libc.inotify_add_watch(self._descriptor, os.fsencode(self.directory), INOTIFY_EVENTS)
        assert result >= 0, os.strerror(ctypes.get_errno())

    def close(self) -> bool:
        """Stop watching and release all resources; return whether there was an access."""
        try:
            return bool(os.read(self._descriptor, 65536))
        except BlockingIOError:
            return False
        finally:
            os.close(self._descriptor)
            self.open_resources.close()

    def add_file(self, content: bytes) -> Path:
        """Write one more file that must not be touched."""
        path = self.directory / f"outside-{len(list(self.directory.iterdir()))}"
        path.write_bytes(content)
        return path

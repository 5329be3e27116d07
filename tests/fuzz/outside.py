"""A place outside a session that nothing may touch, and a marker that nothing may make."""

from __future__ import annotations

import ctypes
import os
from contextlib import ExitStack
from pathlib import Path

EVENTS = 0x2 | 0x4 | 0x20 | 0xC0 | 0x100 | 0x200
"""Modified, attributes changed, opened, moved, created, deleted (inotify.h)."""


class Outside:
    """A directory of victims; whoever opens, changes or removes one of them is noticed."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.marker = place.with_name("executed")
        place.mkdir()
        self.held = ExitStack()
        """What is held until the case is over."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._handle = self._libc.inotify_init1(os.O_NONBLOCK)
        assert self._handle >= 0, os.strerror(ctypes.get_errno())

    def guard(self) -> None:
        """Begin to notice."""
        watched = self._libc.inotify_add_watch(self._handle, os.fsencode(self.place), EVENTS)
        assert watched >= 0, os.strerror(ctypes.get_errno())

    def touched(self) -> bool:
        """Tell whether anything happened since, and let go."""
        try:
            return bool(os.read(self._handle, 65536))
        except BlockingIOError:
            return False
        finally:
            os.close(self._handle)
            self.held.close()

    def victim(self, content: bytes) -> Path:
        """Lay down one more file."""
        path = self.place / f"victim-{len(list(self.place.iterdir()))}"
        path.write_bytes(content)
        return path

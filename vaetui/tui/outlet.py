"""What a terminal is sent, by a thread that waits for it so that nobody else must; it does not know what is said."""

from __future__ import annotations

import contextlib
import os
import termios
import threading
import time
from collections import deque
from collections.abc import Callable

PIECE = 16_384
"""Bytes written at once: between two of them what is not worth sending any more can be given up."""
CANCEL = b"\x18"
"""Ends whatever escape sequence was cut off: a terminal takes nothing of it, and the next byte anew."""
PUSH = 0.01
"""Seconds between two pushes at a terminal that takes nothing."""


class Outlet:
    """Keeps texts until the terminal takes them; to write never waits, however long the line stalls."""

    def __init__(self, terminal: int, encoding: str, emptied: Callable[[], None]) -> None:
        """Write to that file descriptor; `emptied` is called in the thread whenever nothing is left to send."""
        self._terminal, self._encoding, self._emptied = terminal, encoding, emptied
        self._turn = threading.Condition()
        self._due: deque[bytes] = deque()
        self._waiting = 0
        self._closing = self._cut = False
        self._thread = threading.Thread(target=self._send, name="vaetui-outlet", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Count the bytes that the terminal has not yet taken."""
        return self._waiting

    def write(self, text: str) -> None:
        """Send that text when its turn comes."""
        data = text.encode(self._encoding, "replace")
        with self._turn:
            self._due.append(data)
            self._waiting += len(data)
            self._turn.notify()

    def forget(self) -> None:
        """Send nothing of what was not yet begun: only what is written from now on counts."""
        with self._turn:
            self._waiting -= sum(map(len, self._due))
            self._due.clear()

    def close(self, patience: float) -> None:
        """Wait so many seconds until everything is sent; then send the texts not yet begun instead of the rest.

        What the kernel still holds for a terminal that does not read is thrown away, which makes room for them.
        A terminal that does not take even these is left alone.
        """
        with self._turn:
            self._closing = True
            self._turn.notify()
        self._thread.join(patience)
        self._cut = True
        end = time.monotonic() + patience
        while self._thread.is_alive() and time.monotonic() < end:
            with contextlib.suppress(termios.error, OSError):
                termios.tcflush(self._terminal, termios.TCOFLUSH)
            self._thread.join(PUSH)

    def _send(self) -> None:
        with contextlib.suppress(OSError):  # the terminal is gone, and with it whoever could read
            while (text := self._next()) is not None:
                self._put(text)
                if not self._waiting:
                    self._emptied()

    def _next(self) -> bytes | None:
        with self._turn:
            self._turn.wait_for(lambda: self._due or self._closing)
            return self._due.popleft() if self._due else None

    def _put(self, text: bytes) -> None:
        """Send a text piece by piece, unless it is begun already and cut off."""
        cut = self._cut
        for place in range(0, len(text), PIECE):
            if self._cut and not cut:
                self._write(CANCEL)
                break
            self._write(text[place : place + PIECE])
        with self._turn:
            self._waiting -= len(text)

    def _write(self, piece: bytes) -> None:
        while piece:
            piece = piece[os.write(self._terminal, piece) :]

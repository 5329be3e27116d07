"""What a terminal is sent, by a thread that waits for it so that nobody else must; it does not know what is said."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
from collections import deque
from collections.abc import Callable

CANCEL = b"\x18"
"""Ends whatever escape sequence was cut off: a terminal takes nothing of it, and the next byte anew."""
GLANCE = 0.05
"""Seconds after which a writer whose terminal takes nothing looks whether it is still to wait."""


class Outlet:
    """Keeps texts until the terminal takes them; to write never waits, however long the line stalls."""

    def __init__(self, terminal: int, encoding: str, emptied: Callable[[], None]) -> None:
        """Write to that file descriptor; `emptied` is called in the thread whenever nothing is left to send."""
        self._terminal, self._encoding, self._emptied = _opened(terminal), encoding, emptied
        self._turn = threading.Condition()
        self._due: deque[bytes] = deque()
        self._waiting = 0
        self._closing = self._cut = self._gone = False
        self._thread = threading.Thread(target=self._send, name="vaetui-outlet", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Count the bytes that the terminal has not yet taken."""
        return self._waiting

    def write(self, text: str) -> None:
        """Send that text when its turn comes."""
        if self._gone:
            return
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
        if self._thread.is_alive():
            with contextlib.suppress(termios.error):
                termios.tcflush(self._terminal, termios.TCOFLUSH)
            self._cut = True
            self._thread.join(patience)
        if not self._thread.is_alive():
            os.close(self._terminal)

    def _send(self) -> None:
        with contextlib.suppress(OSError):  # the terminal is gone, and with it whoever could read
            while (text := self._next()) is not None:
                self._put(text)
                if not self._waiting:
                    self._emptied()
        self._gone = True

    def _next(self) -> bytes | None:
        with self._turn:
            self._turn.wait_for(lambda: self._due or self._closing)
            return self._due.popleft() if self._due else None

    def _put(self, text: bytes) -> None:
        """Send a text as the terminal takes it, and no more of it once everything begun is cut off."""
        last, rest = self._cut, text
        while rest and self._cut == last:
            rest = rest[self._take(rest) :]
        if rest:
            self._take(CANCEL)
        with self._turn:
            self._waiting -= len(text)

    def _take(self, data: bytes) -> int:
        """Wait a little for the terminal, and tell how many of these bytes it took."""
        if not select.select([], [self._terminal], [], GLANCE)[1]:
            return 0
        try:
            return os.write(self._terminal, data)
        except BlockingIOError:
            return 0


def _opened(terminal: int) -> int:
    """Open a terminal once more, so that to write does not wait, without a change for others who write to it.

    Where that is not allowed, as after a change of user, to write may wait.
    """
    try:
        return os.open(os.ttyname(terminal), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return os.dup(terminal)

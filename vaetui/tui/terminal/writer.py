"""What a terminal is sent, by a thread that waits for it so that nobody else must; it does not know what is said."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
from collections import deque
from collections.abc import Callable

CANCEL_BYTE = b"\x18"
"""Ends whatever escape sequence was cut off: a terminal takes nothing of it, and the next byte anew."""
POLL_INTERVAL_S = 0.05
"""Seconds after which a writer whose terminal takes nothing looks whether it is still to wait."""


class TerminalWriter:
    """Keeps texts until the terminal takes them; to write never waits, however long the line stalls."""

    def __init__(self, fd: int, encoding: str, on_idle: Callable[[], None]) -> None:
        """Write to that file descriptor; `emptied` is called in the thread whenever nothing is left to send."""
        self._fd, self._encoding, self._on_idle = _open_nonblocking(fd), encoding, on_idle
        self._condition = threading.Condition()
        self._queue: deque[bytes] = deque()
        self._pending_bytes = 0
        self._is_closing = self._is_aborted = self._is_stopped = False
        self._thread = threading.Thread(target=self._send_queue, name="vaetui-outlet", daemon=True)
        self._thread.start()

    @property
    def pending_bytes(self) -> int:
        """Count the bytes that the terminal has not yet taken."""
        return self._pending_bytes

    def write(self, text: str) -> None:
        """Send that text when its turn comes."""
        if self._is_stopped:
            return
        data = text.encode(self._encoding, "replace")
        with self._condition:
            self._queue.append(data)
            self._pending_bytes += len(data)
            self._condition.notify()

    def discard_pending(self) -> None:
        """Send nothing of what was not yet begun: only what is written from now on counts."""
        with self._condition:
            self._pending_bytes -= sum(map(len, self._queue))
            self._queue.clear()

    def close(self, timeout_s: float) -> None:
        """Wait so many seconds until everything is sent; then send the texts not yet begun instead of the rest.

        What the kernel still holds for a terminal that does not read is thrown away, which makes room for them.
        A terminal that does not take even these is left alone.
        """
        with self._condition:
            self._is_closing = True
            self._condition.notify()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            with contextlib.suppress(termios.error):
                termios.tcflush(self._fd, termios.TCOFLUSH)
            self._is_aborted = True
            self._thread.join(timeout_s)
        if not self._thread.is_alive():
            os.close(self._fd)

    def _send_queue(self) -> None:
        with contextlib.suppress(OSError):  # the terminal is gone, and with it whoever could read
            while (text := self._pop_text()) is not None:
                self._send_text(text)
                if not self._pending_bytes:
                    self._on_idle()
        self._is_stopped = True

    def _pop_text(self) -> bytes | None:
        with self._condition:
            self._condition.wait_for(lambda: self._queue or self._is_closing)
            return self._queue.popleft() if self._queue else None

    def _send_text(self, text: bytes) -> None:
        """Send a text as the terminal takes it, and no more of it once everything begun is cut off."""
        last, rest = self._is_aborted, text
        while rest and self._is_aborted == last:
            rest = rest[self._send_bytes(rest) :]
        if rest:
            self._send_bytes(CANCEL_BYTE)
        with self._condition:
            self._pending_bytes -= len(text)

    def _send_bytes(self, data: bytes) -> int:
        """Wait a little for the terminal, and tell how many of these bytes it took."""
        if not select.select([], [self._fd], [], POLL_INTERVAL_S)[1]:
            return 0
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0


def _open_nonblocking(fd: int) -> int:
    """Open a terminal once more, so that to write does not wait, without a change for others who write to it.

    Where that is not allowed, as after a change of user, to write may wait.
    """
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return os.dup(fd)

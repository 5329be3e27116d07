"""Write to the terminal in a thread, so that a stalled terminal blocks nothing else."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
from collections import deque
from collections.abc import Callable

CANCEL_BYTE = b"\x18"
"""Cancels an escape sequence that was cut off; the terminal ignores it and reads the next byte as text."""
POLL_INTERVAL_S = 0.05
"""Seconds between two checks whether to go on waiting for a terminal that does not read."""


class TerminalWriter:
    """Queues texts until the terminal reads them; `write` never blocks."""

    def __init__(self, fd: int, encoding: str, on_idle: Callable[[], None]) -> None:
        """Write to the file descriptor `fd`; the thread calls `on_idle` whenever everything is sent."""
        self._fd, self._encoding, self._on_idle = _open_nonblocking(fd), encoding, on_idle
        self._condition = threading.Condition()
        self._queue: deque[bytes] = deque()
        self.pending_bytes = 0
        """Number of bytes that the terminal has not read."""
        self._is_closing = self._abort_requested = self._is_stopped = False
        self._thread = threading.Thread(target=self._send_queue, name="vaetui-terminal-writer", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Queue a text."""
        if self._is_stopped:
            return
        data = text.encode(self._encoding, "replace")
        with self._condition:
            self._queue.append(data)
            self.pending_bytes += len(data)
            self._condition.notify()

    def discard_pending(self) -> None:
        """Discard all texts whose sending has not begun."""
        with self._condition:
            self.pending_bytes -= sum(map(len, self._queue))
            self._queue.clear()

    def close(self, timeout_s: float) -> None:
        """Wait up to `timeout_s` seconds until everything is sent, then abort the current text and wait once more.

        Aborting discards what the kernel holds for a terminal that does not read, which makes room for the queued
        texts. If the terminal does not read these either, the thread is abandoned.
        """
        with self._condition:
            self._is_closing = True
            self._condition.notify()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._discard_unread()  # ends a write that blocks
            self._abort_requested = True
            self._thread.join(timeout_s)
        if not self._thread.is_alive():
            os.close(self._fd)

    def _send_queue(self) -> None:
        with contextlib.suppress(OSError):  # the terminal is gone
            while (text := self._pop_text()) is not None:
                self._send_text(text)
                if not self.pending_bytes:
                    self._on_idle()
        self._is_stopped = True

    def _pop_text(self) -> bytes | None:
        with self._condition:
            self._condition.wait_for(lambda: self._queue or self._is_closing)
            return self._queue.popleft() if self._queue else None

    def _send_text(self, text: bytes) -> None:
        """Send a text as fast as the terminal reads; cut it off when `close` aborts."""
        remainder = text
        while remainder:
            if self._abort_requested:
                self._abort_requested = False
                self._discard_unread()
                remainder = CANCEL_BYTE + (text if len(remainder) == len(text) else b"")
            remainder = remainder[self._send_bytes(remainder) :]
        with self._condition:
            self.pending_bytes -= len(text)

    def _discard_unread(self) -> None:
        """Discard what the kernel holds for the terminal."""
        with contextlib.suppress(termios.error):
            termios.tcflush(self._fd, termios.TCOFLUSH)

    def _send_bytes(self, data: bytes) -> int:
        """Wait up to POLL_INTERVAL_S for the terminal, and return the number of bytes that were sent."""
        if not select.select([], [self._fd], [], POLL_INTERVAL_S)[1]:
            return 0
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0


def _open_nonblocking(fd: int) -> int:
    """Open the terminal again in non-blocking mode, which does not affect other programs that write to it.

    Where the terminal cannot be opened, as after a change of user, writing may block.
    """
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return os.dup(fd)

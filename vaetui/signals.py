"""Handling of the signals that ask the program to end."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any

SHUTDOWN_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, a request to end, and a closed terminal; not every platform has all of them."""


def find_exit_status(signal_number: int) -> int:
    """Return the exit status of a program that was ended by a signal; 0 without one."""
    return 128 + signal_number if signal_number else 0


class ShutdownRequested(Exception):  # noqa: N818 (not an error)
    """The user or a signal ends the program."""


class ShutdownSignals:
    """Context manager that records shutdown signals, so that the program can save before it ends."""

    def __init__(self) -> None:
        """Start without a recorded signal."""
        self.signal_number = 0
        """Last signal received, or 0."""
        self.is_interruptible = False
        """Whether nothing would be lost now: a signal then raises ShutdownRequested at once, even during an import."""
        self.ignores_hangup = False
        """Whether SIGHUP is ignored, because the terminal was left on purpose."""
        self._previous_handlers: dict[int, Any] = {}

    def __enter__(self) -> ShutdownSignals:
        """Install the handlers."""
        for name in SHUTDOWN_SIGNALS:
            if number := getattr(signal, name, None):
                self._previous_handlers[number] = signal.signal(number, self._handle_signal)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, exc_traceback: TracebackType | None
    ) -> None:
        """Restore the previous handlers."""
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    def _handle_signal(self, signal_number: int, frame: FrameType | None) -> None:
        if self.ignores_hangup and signal.Signals(signal_number).name == "SIGHUP":
            return
        self.signal_number = signal_number
        if self.is_interruptible:
            self.is_interruptible = False  # raise once only: some programs send two signals in a row
            raise ShutdownRequested

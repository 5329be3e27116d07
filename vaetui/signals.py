"""The signals that ask a program to leave; it does not know what has to be saved before."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any

SHUTDOWN_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, a polite end, a lost line; not every platform has all of them."""


class ShutdownRequested(Exception):  # noqa: N818 (no error)
    """The person, or a signal, ends the program."""


class ShutdownSignals:
    """While this is entered, such a signal is kept to be looked at, instead of being died of."""

    def __init__(self) -> None:
        """Begin without a signal."""
        self.signal_number = 0
        """The last one that came; 0 for none."""
        self.is_interruptible = False
        """Whether nothing would be lost now: then a signal raises Left at once, be it in the midst of an import."""
        self.ignores_hangup = False
        """Whether the line has been left on purpose, and may end."""
        self._previous_handlers: dict[int, Any] = {}

    def __enter__(self) -> ShutdownSignals:
        """Begin to heed them."""
        for name in SHUTDOWN_SIGNALS:
            if number := getattr(signal, name, None):
                self._previous_handlers[number] = signal.signal(number, self._handle_signal)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, exc_traceback: TracebackType | None
    ) -> None:
        """Let them act as before."""
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    def _handle_signal(self, signal_number: int, frame: FrameType | None) -> None:
        if self.ignores_hangup and signal.Signals(signal_number).name == "SIGHUP":
            return
        self.signal_number = signal_number
        if self.is_interruptible:
            self.is_interruptible = False  # once: some send two signals in a row
            raise ShutdownRequested

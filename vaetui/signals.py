"""The signals that ask a program to leave; it does not know what has to be saved before."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any

FAREWELLS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, a polite end, a lost line; not every platform has all of them."""


class Left(Exception):  # noqa: N818 (no error)
    """The person, or a signal, ends the program."""


class Farewells:
    """While this is entered, such a signal is kept to be looked at, instead of being died of."""

    def __init__(self) -> None:
        """Begin without a signal."""
        self.number = 0
        """The last one that came; 0 for none."""
        self.idle = False
        """Whether nothing would be lost now: then a signal raises Left at once, be it in the midst of an import."""
        self.deaf_to_hangups = False
        """Whether the line has been left on purpose, and may end."""
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Farewells:
        """Begin to heed them."""
        for name in FAREWELLS:
            if number := getattr(signal, name, None):
                self._before[number] = signal.signal(number, self._heed)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let them act as before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _heed(self, number: int, frame: FrameType | None) -> None:
        if self.deaf_to_hangups and signal.Signals(number).name == "SIGHUP":
            return
        self.number = number
        if self.idle:
            self.idle = False  # once: some send two signals in a row
            raise Left

"""The signals that ask a program to leave; it does not know what has to be saved before."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

FAREWELLS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, a polite end, a lost line."""


@contextmanager
def heeding(heard: Callable[[int], None]) -> Iterator[None]:
    """Give the number of each such signal to `heard` for a while, instead of dying of it."""

    def heed(number: int, frame: FrameType | None) -> None:
        heard(number)

    # Not every platform has all of them.
    numbers = [getattr(signal, name) for name in FAREWELLS if hasattr(signal, name)]
    before = {number: signal.signal(number, heed) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

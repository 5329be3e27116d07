"""Functions in threads of their own, as generators of Progress; and the result of a generator without its events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import TypeVar

from vaetui.engine.events import Progress

T = TypeVar("T")
POLL_S = 0.2
"""Seconds between two reports while a function runs; a shorter call is not reported at all."""


def run_in_background(activity: str, function: Callable[[], T]) -> Generator[Progress, None, T]:
    """Run a function in a thread, yield Progress while it runs, and return its result or raise its error.

    The caller may leave at every report: the function then runs to its end, and its result is dropped. So it must not
    change anything that others see. It must not use PyTorch: modes such as `no_grad` hold for one thread, and each
    thread that computes starts OpenMP threads of its own.
    """
    future = start_in_background(function)
    while True:
        try:
            return future.result(POLL_S)
        except TimeoutError:
            if future.done():
                return future.result()
        yield Progress(activity, 0, 1)


def start_in_background(function: Callable[[], T]) -> Future[T]:
    """Run a function in a daemon thread, which does not delay the end of the process; return its future."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="vaetui-background", daemon=True).start()
    return future


def exhaust(steps: Generator[object, None, T]) -> T:
    """Return what a generator returns, without its events."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: T = end.value
            return value

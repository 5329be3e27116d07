"""Run a function in a daemon thread and return a future."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def run_in_thread(function: Callable[[], T]) -> Future[T]:
    """Start a function in a daemon thread, which does not delay the end of the process; return its future."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except Exception as error:
            logging.getLogger(__name__).exception("background task failed")
            future.set_exception(error)

    threading.Thread(target=run, name="vaetui-background", daemon=True).start()
    return future

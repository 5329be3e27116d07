"""Work that nobody waits for, in a thread of its own; it does not know what is done."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def run_in_thread(function: Callable[[], T]) -> Future[T]:
    """Begin to do that, and give what will hold the result; the end of the program does not wait for it."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except Exception as error:
            logging.getLogger(__name__).exception("a look aside failed")
            future.set_exception(error)

    threading.Thread(target=run, name="vaetui-aside", daemon=True).start()
    return future

"""Runs one action in several processes at the same moment."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from vaetui.engine.config import Config
from vaetui.errors import UserError
from vaetui.session import lifecycle
from vaetui.storage.lock import Lock

PROCESS_COUNT = 8
TIMEOUT_S = 200
Action = Callable[[Path], object]
"""Returns an object that the process keeps until all processes are done."""


def run_simultaneously(action: Action, path: Path) -> tuple[list[int], list[str]]:
    """Run an action in all processes; return the ids of those that succeed and the messages of the others."""
    context = multiprocessing.get_context("spawn")  # A fork would share open files and locks of this process.
    barrier, results = context.Barrier(PROCESS_COUNT), context.Queue()
    processes = [
        context.Process(target=_run_action, args=(action, path, barrier, results)) for _ in range(PROCESS_COUNT)
    ]
    for process in processes:
        process.start()
    replies = [results.get(timeout=TIMEOUT_S) for _ in processes]
    for process in processes:
        process.join(TIMEOUT_S)
    process_ids = [reply for reply in replies if isinstance(reply, int)]
    return process_ids, [reply for reply in replies if isinstance(reply, str)]


def acquire_lock(path: Path) -> object:
    """Acquire the lock of a session directory."""
    return Lock(path)


def create_named(path: Path) -> object:
    """Create and open a session of the images in a directory, under the same name in all processes."""
    return lifecycle.create("wanted", str(path), Config())


def create_unnamed(path: Path) -> object:
    """Create and open a session of the images in a directory, without a name."""
    return lifecycle.create(None, str(path), Config())


def _run_action(action: Action, path: Path, barrier: Barrier, results: Queue[int | str]) -> None:
    barrier.wait(TIMEOUT_S)
    acquired = None
    try:
        acquired = action(path)
        results.put(os.getpid())
    except UserError as error:
        results.put(str(error))
    except BaseException as error:
        results.put(f"unexpected error: {error!r}")
    barrier.wait(TIMEOUT_S)  # Keeps what the action returned until all processes have tried.
    del acquired

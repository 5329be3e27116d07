"""Processes that do the same thing at the same moment; it does not know what."""

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

COUNT = 8
Deed = Callable[[Path], object]
"""Gives what it holds until the others are done too."""


def at_once(deed: Deed, path: Path) -> tuple[list[int], list[str]]:
    """Let them do it; tells the process numbers of those that succeed, and what the others are told."""
    context = multiprocessing.get_context("spawn")  # a fork would share what this process has loaded and holds
    barrier, told = context.Barrier(COUNT), context.Queue()
    processes = [context.Process(target=_start, args=(deed, path, barrier, told)) for _ in range(COUNT)]
    for process in processes:
        process.start()
    heard = [told.get(timeout=100) for _ in processes]
    for process in processes:
        process.join(100)
    return [it for it in heard if isinstance(it, int)], [it for it in heard if isinstance(it, str)]


def take(path: Path) -> object:
    """Take the right to write a session."""
    return Lock(path)


def create(path: Path) -> object:
    """Make a session whose images lie there, under a name that all want, and open it."""
    return lifecycle.create("wanted", str(path), Config())


def create_unnamed(path: Path) -> object:
    """Make a session whose images lie there, under any name, and open it."""
    return lifecycle.create(None, str(path), Config())


def _start(deed: Deed, path: Path, barrier: Barrier, told: Queue[int | str]) -> None:
    barrier.wait(100)
    held = None
    try:
        held = deed(path)
        told.put(os.getpid())
    except UserError as trouble:
        told.put(str(trouble))
    except BaseException as error:
        told.put(f"a bug: {error!r}")
    barrier.wait(100)  # whoever won keeps it until all have tried
    del held

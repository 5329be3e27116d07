"""A session is made, or opened again; it does not know what is done with it."""

from __future__ import annotations

import datetime
import shutil
from dataclasses import replace
from pathlib import Path

from vaetui.engine import memory
from vaetui.engine.config import Config
from vaetui.session import source as sources
from vaetui.session.session import Session
from vaetui.store import files, home, log
from vaetui.store.facts import Facts
from vaetui.store.lock import Lock
from vaetui.trouble import Trouble


def create(name: str | None, source: str, config: Config) -> Session:
    """Make a session and open it; without a name, one is made up.

    Raises Trouble for a name that is taken or cannot be one, for missing data and for a full disk.
    """
    memory.keep_freed()
    shape = sources.announced(source)
    source = source if source == sources.BUNDLED else str(Path(source).resolve())
    directory = home.make(name or _made_up(source))
    try:
        lock = Lock(directory)
        with files.explained(directory):
            log.keep(directory).info("made: %s, images %s from %s", config, shape, source)
            facts = Facts.create(directory / home.FACTS, config, source, shape)
    except Trouble:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    return Session(directory, facts, lock)


def resume(name: str | None, device: str | None = None) -> Session:
    """Open a session for writing; without a name, the one that was used last. A device takes the place of its own.

    Raises Trouble for an unknown name, one that another process holds, a newer format or a damaged file.
    """
    memory.keep_freed()
    directory = home.find(name or home.latest())
    lock = Lock(directory)
    try:
        files.sweep(directory)
        log.keep(directory).info("resumed")
        facts = Facts(directory / home.FACTS)
        if device is not None:
            facts.keep_config(replace(facts.config, device=device))
        return Session(directory, facts, lock)
    except Trouble:
        lock.release()
        raise


def _made_up(source: str) -> str:
    """Make up a name that is free: what the images are called, and today."""
    stem = "".join(letter for letter in Path(source).name if letter.isascii() and letter.isalnum()) or "images"
    name = f"{stem[:40]}-{datetime.date.today():%Y-%m-%d}"
    taken = set(home.names())
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(free for free in (name, *numbered) if free not in taken)

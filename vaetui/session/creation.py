"""A session is made, or opened again; it does not know what is done with it."""

from __future__ import annotations

import datetime
from contextlib import ExitStack
from pathlib import Path

from vaetui.engine import memory
from vaetui.engine.config import Config, Device
from vaetui.session import source as sources
from vaetui.session.session import Session
from vaetui.store import entries, files, home, log
from vaetui.store.audit import audit
from vaetui.store.facts import Facts
from vaetui.store.lock import Lock
from vaetui.store.material import Material
from vaetui.store.upgrades import upgrade
from vaetui.store.vault import Vault


def create(name: str | None, source: str, config: Config, material: Material | None = None, title: str = "") -> Session:
    """Make a session and open it; without a name, one is made up of a title and the date.

    Raises Trouble for a name that is taken or cannot be one, for missing data and for a full disk.
    """
    with home.making([name] if name else _made_up(title or source)) as (made, directory):
        begin(directory, source, config, material)
    return resume(made)


def begin(directory: Path, source: str, config: Config, material: Material | None = None) -> None:
    """Make a session in an empty directory.

    Raises Trouble for missing data and for a full disk.
    """
    Facts.create(directory, config, source, sources.announced(source), material).close()


def resume(name: str | None, device: Device | None = None) -> Session:
    """Open a session for writing; without a name, the one that was used last. A device takes the place of its own.

    Raises Trouble for an unknown name, one that another process holds, a newer format or a damaged file.
    """
    return enter(home.find(name or home.latest()), device)


def enter(directory: Path, device: Device | None = None) -> Session:
    """Open the session in a directory for writing; see `resume`."""
    memory.keep_freed()
    entries.refuse_strange(directory)
    with ExitStack() as held:
        lock = Lock(directory)
        held.callback(lock.release)
        files.sweep(directory)
        logger = log.keep(directory)
        held.callback(log.close)
        logger.info("opened")
        upgrade(directory)
        mended = list(audit(directory, repair=True))
        for found in mended:
            logger.warning(found)
        facts = Facts(directory, writes=True)
        held.callback(facts.close)
        vault = Vault(directory, facts, mended)
        vault.sweep()
        session = Session(vault, facts, lock, device)
        held.pop_all()  # it gives them back itself
    return session


def _made_up(title: str) -> list[str]:
    """Make up names of which one should be free: what the images are called, and today."""
    stem = "".join(letter for letter in Path(title).stem if letter.isascii() and letter.isalnum()) or "images"
    name = f"{stem[:40]}-{datetime.date.today():%Y-%m-%d}"
    return [name, *(f"{name}-{number}" for number in range(2, 1_000))]

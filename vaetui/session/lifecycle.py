"""A session is made, or opened again; it does not know what is done with it."""

from __future__ import annotations

import datetime
from contextlib import ExitStack
from pathlib import Path

from vaetui.engine import malloc
from vaetui.engine.config import Config, Device
from vaetui.session import data_source as sources
from vaetui.session.session import Session
from vaetui.storage import atomic_files, locations, log, untrusted
from vaetui.storage.artifact_store import Vault
from vaetui.storage.data_record import Material
from vaetui.storage.lock import Lock
from vaetui.storage.migrations import upgrade
from vaetui.storage.recovery import audit
from vaetui.storage.repository import Facts


def create(name: str | None, source: str, config: Config, material: Material | None = None, title: str = "") -> Session:
    """Make a session and open it; without a name, one is made up of a title and the date.

    Raises Trouble for a name that is taken or cannot be one, for missing data and for a full disk.
    """
    with locations.making([name] if name else _made_up(title or source)) as (made, directory):
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
    return enter(locations.find(name or locations.latest()), device)


def enter(directory: Path, device: Device | None = None) -> Session:
    """Open the session in a directory for writing; see `resume`."""
    malloc.keep_freed()
    untrusted.refuse_strange(directory)
    with ExitStack() as held:
        lock = Lock(directory)
        held.callback(lock.release)
        atomic_files.sweep(directory)
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

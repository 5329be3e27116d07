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
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.data_record import DataRecord
from vaetui.storage.lock import Lock
from vaetui.storage.migrations import upgrade
from vaetui.storage.recovery import verify_database
from vaetui.storage.repository import SessionRepository


def create(
    name: str | None, source: str, config: Config, data_record: DataRecord | None = None, title: str = ""
) -> Session:
    """Make a session and open it; without a name, one is made up of a title and the date.

    Raises Trouble for a name that is taken or cannot be one, for missing data and for a full disk.
    """
    with locations.create_session_atomically([name] if name else _candidate_names(title or source)) as (
        made,
        directory,
    ):
        create_at(directory, source, config, data_record)
    return resume(made)


def create_at(directory: Path, source: str, config: Config, data_record: DataRecord | None = None) -> None:
    """Make a session in an empty directory.

    Raises Trouble for missing data and for a full disk.
    """
    SessionRepository.create(directory, config, source, sources.read_dataset_shape(source), data_record).close()


def resume(name: str | None, device: Device | None = None) -> Session:
    """Open a session for writing; without a name, the one that was used last. A device takes the place of its own.

    Raises Trouble for an unknown name, one that another process holds, a newer format or a damaged file.
    """
    return resume_at(locations.find_session(name or locations.latest_session_name()), device)


def resume_at(directory: Path, device: Device | None = None) -> Session:
    """Open the session in a directory for writing; see `resume`."""
    malloc.tune_malloc()
    untrusted.refuse_untrusted_entries(directory)
    with ExitStack() as held:
        lock = Lock(directory)
        held.callback(lock.release)
        atomic_files.remove_partial_files(directory)
        logger = log.open_log(directory)
        held.callback(log.close_log)
        logger.info("opened")
        upgrade(directory)
        mended = list(verify_database(directory, repair=True))
        for found in mended:
            logger.warning(found)
        facts = SessionRepository(directory, is_writable=True)
        held.callback(facts.close)
        vault = ArtifactStore(directory, facts, mended)
        vault.remove_leftovers()
        session = Session(vault, facts, lock, device)
        held.pop_all()  # it gives them back itself
    return session


def _candidate_names(title: str) -> list[str]:
    """Make up names of which one should be free: what the images are called, and today."""
    stem = "".join(letter for letter in Path(title).stem if letter.isascii() and letter.isalnum()) or "images"
    name = f"{stem[:40]}-{datetime.date.today():%Y-%m-%d}"
    return [name, *(f"{name}-{number}" for number in range(2, 1_000))]

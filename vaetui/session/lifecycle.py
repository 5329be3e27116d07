"""Create sessions and open them for writing."""

from __future__ import annotations

import datetime
from contextlib import ExitStack
from pathlib import Path

from vaetui.engine import malloc
from vaetui.engine.config import Config, Device
from vaetui.session import dataset_location
from vaetui.session.session import Session
from vaetui.storage import atomic_files, locations, log, untrusted_entries
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.data_record import DataRecord
from vaetui.storage.lock import Lock
from vaetui.storage.recovery import verify_database
from vaetui.storage.repository import SessionRepository


def create(
    name: str | None, source: str, config: Config, data_record: DataRecord | None = None, title: str = ""
) -> Session:
    """Create a session and open it; without a name, derive one from the title or the source and the date.

    Raises UserError for an invalid or existing name, missing data and a full disk.
    """
    names = [name] if name else _generate_session_names(title or source)
    with locations.create_session_atomically(names) as (session_name, directory):
        create_at(directory, source, config, data_record)
    return resume(session_name)


def create_at(directory: Path, source: str, config: Config, data_record: DataRecord | None = None) -> None:
    """Create a session in an empty directory. Raises UserError for missing data and a full disk."""
    shape = dataset_location.read_dataset_shape(source)
    SessionRepository.create(directory, config, source, shape, data_record).close()


def resume(name: str | None, device: Device | None = None) -> Session:
    """Open a session for writing; without a name, the latest one. `device` overrides the configured device.

    Raises UserError for an unknown name, a session that another process has open, a newer format and damage
    beyond repair.
    """
    return resume_at(locations.find_session(name or locations.find_latest_session_name()), device)


def resume_at(directory: Path, device: Device | None = None) -> Session:
    """Open the session in a directory for writing; see `resume`."""
    malloc.tune_malloc()
    untrusted_entries.refuse_untrusted_entries(directory)
    with ExitStack() as resources:
        lock = Lock(directory)
        resources.callback(lock.release)
        atomic_files.remove_partial_files(directory)
        logger = log.start_file_log(directory)
        resources.callback(log.stop_file_log)
        logger.info("opened")
        repairs = list(verify_database(directory, repair=True))
        for finding in repairs:
            logger.warning(finding)
        repository = SessionRepository(directory, is_writable=True)
        resources.callback(repository.close)
        store = ArtifactStore(directory, repository, repairs)
        store.remove_unlisted_artifacts()
        session = Session(store, repository, lock, device)
        resources.pop_all()  # the session closes them
    return session


def _generate_session_names(title: str) -> list[str]:
    stem = "".join(letter for letter in Path(title).stem if letter.isascii() and letter.isalnum()) or "images"
    name = f"{stem[:40]}-{datetime.date.today():%Y-%m-%d}"
    return [name, *(f"{name}-{number}" for number in range(2, 1_000))]

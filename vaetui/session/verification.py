"""Everything in a session is verified, and mended where that is wanted; it does not know who reads the findings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from vaetui.engine.events import Progress
from vaetui.errors import UserError
from vaetui.session.data_loading import find_origin
from vaetui.session.data_source import read_dataset_shape
from vaetui.session.data_split import load_images
from vaetui.session.labelling_round import LabellingRound
from vaetui.storage import (
    atomic_files,
    file_names,
    locations,
    log,
    migrations,
    recovery,
    round_snapshots,
    tensors,
    untrusted,
)
from vaetui.storage.artifact_store import ArtifactStore, is_mirrored
from vaetui.storage.findings import Finding
from vaetui.storage.fingerprints import FileFingerprint
from vaetui.storage.lock import Lock
from vaetui.storage.repository import SessionRepository
from vaetui.storage.round_snapshots import Reconstructions

NO_REMEDY = "nothing here mends that"


def verify_session(name: str, repair: bool) -> Generator[Progress, None, list[Finding]]:
    """Find all that is not as it should be in a session, and mend what can be mended where that is wanted.

    Raises Trouble for an unknown session, one that somebody works in, and one of which too little is left.
    """
    directory = locations.find_session(name)
    found = []
    for path, why in list(untrusted.untrusted_entries(directory)):
        found.append(Finding(path.name, why, untrusted.quarantine_file(path) if repair else "taken out of it"))
    if found and not repair:
        return found  # nothing is opened beside a link
    lock = Lock(directory)
    try:
        yield Progress("looking at the facts", 0, 4)
        if repair:
            atomic_files.remove_partial_files(directory)
            migrations.upgrade(directory)
        elif migrations.is_older(file_names.database_path(directory)):
            return [Finding(file_names.DATABASE_NAME, "is of an older format", "upgraded, and then all is verified")]
        found += recovery.verify_database(directory, repair)
        if repair or not any(each.file_name == file_names.DATABASE_NAME for each in found):
            found += yield from _verify_contents(directory, repair)
        else:
            found[-1] = replace(found[-1], remedy=f"{found[-1].remedy}, and then all is verified")
        if repair:
            logger = log.open_log(directory)
            for each in found:
                logger.warning(each)
    finally:
        log.close_log()
        lock.release()
    return found


def _verify_contents(directory: Path, repair: bool) -> Generator[Progress, None, list[Finding]]:
    """Go through what the facts, which are whole, name."""
    with contextlib.closing(SessionRepository(directory, is_writable=repair)) as facts:
        if unusable := _run_check(file_names.DATABASE_NAME, lambda: (facts.config, facts.shape, facts.created_at)):
            return unusable
        vault = ArtifactStore(directory, facts, [] if repair else None)
        yield Progress("looking at the files", 1, 4)
        found = list(vault.verify(repair))
        for path in sorted(directory.iterdir()):
            if not (
                path.name in file_names.NON_ARTIFACT_NAMES
                or file_names.ARTIFACT_PATTERN.fullmatch(path.name)
                or atomic_files.PARTIAL_SUFFIX in path.name
            ):
                remedy = untrusted.quarantine_file(path) if repair else "kept aside"
                found.append(Finding(path.name, "is no part of the session", remedy))
        yield Progress("looking into them", 2, 4)
        told = {each.file_name for each in found if each.is_lost or not repair}
        for name, use in _file_checks(vault, facts):
            if name not in told:
                found += _run_check(name, use)
        yield Progress("looking at the images", 3, 4)
        whole = facts.find_fingerprint(file_names.TRAIN_VAL_SPLIT_NAME) and file_names.TRAIN_VAL_SPLIT_NAME not in told
        origin = find_origin(facts)
        remedy = NO_REMEDY if origin is None else f"made anew by vaetui resume, if {origin.source_path} is as it was"
        found += _run_check(
            facts.data_source,
            partial(load_images, vault, facts) if whole else partial(read_dataset_shape, facts.data_source),
            remedy,
        )
    return found


def _file_checks(store: ArtifactStore, repository: SessionRepository) -> Iterator[tuple[str, Callable[[], object]]]:
    """Give for each file what is done with it."""
    for number, *_ in repository.list_rounds():
        yield (
            file_names.round_snapshot_name(number),
            partial(LabellingRound, store, repository, repository.config, number),
        )
    for stamp in repository.list_fingerprints():
        if stamp.name.startswith("epoch"):
            yield stamp.name, partial(round_snapshots.load, store, stamp.name, Reconstructions)
        elif not is_mirrored(stamp.name):
            yield stamp.name, partial(_load_checkpoint, store, stamp)


def _load_checkpoint(store: ArtifactStore, fingerprint: FileFingerprint) -> None:
    tensors.from_bytes(store.read(fingerprint.name, fingerprint.size_bytes))


def _run_check(file: str, check: Callable[[], object], remedy: str = NO_REMEDY) -> list[Finding]:
    """Use a file, and tell what is in the way."""
    try:
        check()
        return []
    except UserError as trouble:
        return [Finding(file, f"cannot be used ({trouble})", remedy, is_lost=True)]

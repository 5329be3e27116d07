"""Verify every file of a session and repair what can be repaired."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from vaetui.engine.events import Progress
from vaetui.engine.vectors import map_vectors
from vaetui.errors import UserError
from vaetui.session import data_digests, stored_audits
from vaetui.session.data_loading import find_changed_files, find_dataset_origin
from vaetui.session.data_split import load_images
from vaetui.session.dataset_location import read_dataset_shape
from vaetui.session.image_answers import load_border, require_valid_answers
from vaetui.session.labelling_round import LabellingRound
from vaetui.session.vector_loading import VectorsLostError, verify_vectors
from vaetui.storage import (
    atomic_files,
    file_names,
    locations,
    log,
    recovery,
    stored_arrays,
    tensors,
    untrusted_entries,
)
from vaetui.storage.artifact_store import ArtifactStore, has_second_copy
from vaetui.storage.findings import Finding
from vaetui.storage.fingerprints import FileFingerprint
from vaetui.storage.lock import Lock
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import Reconstructions

NO_REMEDY = "restore it from a backup"
"""Remedy of a file that nothing can repair."""
STEPS = 4
"""Parts of a verification."""


def verify_session(name: str, repair: bool) -> Generator[Progress, None, list[Finding]]:
    """Return all problems of a session, repairing them if `repair` is set; yields progress.

    Raises UserError for an unknown session, one that another process has open, and damage beyond repair.
    """
    directory = locations.find_session(name)
    findings = [
        _quarantine_entry(*entry, repair) for entry in list(untrusted_entries.find_untrusted_entries(directory))
    ]
    if findings and not repair:
        return findings  # opening other files beside a link is not safe
    lock = Lock(directory)
    try:
        yield Progress("checking the database", 0, STEPS)
        if repair:
            atomic_files.remove_partial_files(directory)
        findings += recovery.verify_database(directory, repair)
        if repair or not any(finding.file_name == file_names.DATABASE_NAME for finding in findings):
            findings += yield from _verify_contents(directory, repair)
        else:
            findings[-1] = replace(findings[-1], remedy=f"{findings[-1].remedy}; then all other files are checked")
        if repair:
            logger = log.start_file_log(directory)
            for finding in findings:
                logger.warning(finding)
    finally:
        log.stop_file_log()
        lock.release()
    return findings


def _verify_contents(directory: Path, repair: bool) -> Generator[Progress, None, list[Finding]]:
    """Verify all files beside the intact database."""
    with contextlib.closing(SessionRepository(directory, is_writable=repair)) as repository:
        if findings := _run_check(file_names.DATABASE_NAME, lambda: (repository.input_shape, repository.created_at)):
            return findings
        store = ArtifactStore(directory, repository, [] if repair else None)
        if findings := _run_check(file_names.DATABASE_NAME, partial(require_valid_answers, repository, store)):
            return findings
        yield Progress("checking the files", 1, STEPS)
        findings = [*store.verify_artifacts(repair), *_check_foreign_files(directory, repair)]
        yield Progress("checking file contents", 2, STEPS)
        unusable_names = {finding.file_name for finding in findings if finding.is_lost or not repair}
        for name, check in _iter_file_checks(store, repository):
            if name not in unusable_names:
                findings += _run_check(name, check)
        yield Progress("checking the images", 3, STEPS)
        findings += _verify_images(store, repository, unusable_names)
        findings += yield from _verify_vectors(repository)
    return findings


def _quarantine_entry(path: Path, problem: str, repair: bool) -> Finding:
    remedy = untrusted_entries.quarantine_file(path) if repair else f"moved to {file_names.QUARANTINE_NAME}"
    return Finding(path.name, problem, remedy)


def _check_foreign_files(directory: Path, repair: bool) -> Iterator[Finding]:
    for path in sorted(directory.iterdir()):
        if not (
            path.name in file_names.NON_ARTIFACT_NAMES
            or file_names.ARTIFACT_PATTERN.fullmatch(path.name)
            or atomic_files.PARTIAL_SUFFIX in path.name
        ):
            yield _quarantine_entry(path, "does not belong to the session", repair)


def _verify_images(store: ArtifactStore, repository: SessionRepository, unusable_names: set[str]) -> list[Finding]:
    split_name, origin = file_names.TRAIN_VAL_SPLIT_NAME, find_dataset_origin(repository)
    remedy = NO_REMEDY if origin is None else f"rebuilt by vaetui resume if {origin.source_path} is unchanged"
    changed_paths: list[Path] = []

    def check() -> None:
        files, changed_kinds = find_changed_files(repository)
        changed_paths.extend(data_digests.list_changed_paths(files, changed_kinds))
        if repository.find_fingerprint(split_name) and split_name not in unusable_names:
            usable_files = data_digests.select_unchanged_files(files, changed_kinds)
            images = load_images(store, repository, usable_files, with_vectors=False)
            deque(images, maxlen=0)  # runs the generator to its end
        else:
            read_dataset_shape(repository.data_source)

    findings = _run_check(repository.data_source, check, remedy)
    problem = "changed since the session was created"
    return findings + [Finding(str(path), problem, remedy, is_lost=True) for path in changed_paths]


def _verify_vectors(repository: SessionRepository) -> Generator[Progress, None, list[Finding]]:
    features = repository.data_record.features
    if features is None:
        return []
    try:
        content = yield from verify_vectors(features)
    except VectorsLostError as error:
        return [Finding(features.path, error.problem, NO_REMEDY, is_lost=True)]
    return _run_check(features.path, partial(map_vectors, Path(features.path), features.count, features.width, content))


def _iter_file_checks(
    store: ArtifactStore, repository: SessionRepository
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield (file name, function that loads the file)."""
    for number, *_ in repository.list_rounds():
        name = file_names.round_snapshot_name(number)
        yield name, partial(LabellingRound, store, repository, repository.config, number)
    for border in repository.list_all_borders():
        name = file_names.border_name(border.id)
        yield name, partial(load_border, store, border.id, border.image_count)
    for audit in repository.audit_log.list_audits():
        yield file_names.audit_name(audit.id), partial(stored_audits.verify_audit, store, repository, audit)
    for fingerprint in repository.list_fingerprints():
        name = fingerprint.name
        if file_names.RECONSTRUCTIONS_PATTERN.fullmatch(name):
            yield name, partial(stored_arrays.load_arrays, store, name, Reconstructions)
        elif not has_second_copy(name):
            yield name, partial(_load_checkpoint, store, fingerprint)


def _load_checkpoint(store: ArtifactStore, fingerprint: FileFingerprint) -> None:
    tensors.decode_safetensors(store.read(fingerprint.name, fingerprint.size_bytes))


def _run_check(file_name: str, check: Callable[[], object], remedy: str = NO_REMEDY) -> list[Finding]:
    """Return a finding if the check raises UserError."""
    try:
        check()
    except UserError as error:
        return [Finding(file_name, f"cannot be used ({error})", remedy, is_lost=True)]
    return []

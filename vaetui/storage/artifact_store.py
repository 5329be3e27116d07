"""The files of a session beside its database: verified by their fingerprints and restored from a second copy."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

from vaetui.engine.config import count_validation_images
from vaetui.errors import UserError
from vaetui.storage import atomic_files, file_names
from vaetui.storage.findings import Finding
from vaetui.storage.fingerprints import FileFingerprint, compute_fingerprint
from vaetui.storage.repository import SessionRepository
from vaetui.storage.untrusted_entries import quarantine_file

T = TypeVar("T")
PERMANENT_ERRNOS = (errno.ENOENT, errno.EISDIR, errno.ELOOP, errno.EIO)
"""Error numbers of permanent failures: missing file, directory, link, unreadable disk."""


class ArtifactLostError(UserError):
    """A file is missing or damaged, and so is its second copy if it had one."""


class ArtifactStore:
    """The artifacts of one session; a writable store repairs a damaged file when it reads it."""

    def __init__(self, directory: Path, repository: SessionRepository, repairs: list[Finding] | None = None) -> None:
        """Use the files in that directory; repairs are appended to the list, and without one the store is read-only."""
        self.directory = directory
        """The session directory."""
        self.repairs = repairs
        """What was found damaged and repaired since the session was opened; None if read-only."""
        self.damaged_names: set[str] = set()
        """Files that were found damaged or missing when they were read, repaired or not."""
        self._notice_count = 0
        self._repository = repository

    @property
    def axis_lengths(self) -> dict[str, int]:
        """The lengths of array axes that follow from the images and the configuration, by axis letter."""
        (count, height, width, *channels), config = self._repository.shape, self._repository.config
        validation_count = count_validation_images(config.training, count)
        # "A" is the axis of all images; "D" is that of a SHA-256 digest, 32 bytes.
        dimensions = {"A": count, "N": count - validation_count, "V": validation_count}
        dimensions |= {"H": height, "W": width, "D": 32}
        dimensions |= {"Z": config.network.z_dim, "C": config.network.classes}
        return {**dimensions, "R": channels[0]} if channels else dimensions

    def pop_repair_notices(self) -> list[str]:
        """Return a line for each repair since the last call."""
        notices = [str(finding) for finding in (self.repairs or [])[self._notice_count :]]
        self._notice_count += len(notices)
        return notices

    def write(self, name: str, content: bytes) -> FileFingerprint:
        """Write a file and its second copy; return the fingerprint, which the caller records."""
        for path_name in _list_copy_names(name):
            atomic_files.replace_file(self.directory / path_name, content)
        return compute_fingerprint(name, content)

    def write_in_steps(self, name: str, chunks: Iterable[atomic_files.Buffer]) -> Generator[int, None, FileFingerprint]:
        """Write a file of any size and its second copy; yield the number of bytes written so far.

        Return the fingerprint, which the caller records. Closing the generator leaves no part of the file.
        """
        paths = [self.directory / path_name for path_name in _list_copy_names(name)]
        digest, size = hashlib.sha256(), 0
        for chunk in atomic_files.replace_files_in_steps(paths, chunks):
            digest.update(chunk)
            size += memoryview(chunk).nbytes
            yield size
        return FileFingerprint(name, size, digest.hexdigest())

    def read(self, name: str, max_bytes: int) -> bytes:
        """Return the content of a file, if necessary from its second copy; larger files count as damaged.

        Raises ArtifactLostError if both are missing or damaged, and UserError if one cannot be read now.
        """
        return self.load(name, max_bytes, _read_verified)

    def load(
        self, name: str, max_bytes: int, read_verified: Callable[[BufferedReader, FileFingerprint], T | None]
    ) -> T:
        """Return what a function reads from a file, if necessary from its second copy.

        The function returns None if the file is not what the fingerprint describes. Raises what `read` raises.
        """
        fingerprint = self._repository.find_fingerprint(name)

        def reader(file: BufferedReader) -> T | None:
            size = os.fstat(file.fileno()).st_size
            if fingerprint is None or size != fingerprint.size_bytes or size > max_bytes:
                return None
            return read_verified(file, fingerprint)

        copies = ((copy_name, self._read_file(copy_name, reader)) for copy_name in _list_copy_names(name))
        intact_name, content = next((copy for copy in copies if copy[1] is not None), (None, None))
        if intact_name != name:
            self.damaged_names.add(name)
            if self.repairs is not None:
                self._record_finding(self._repair(name, intact_name))
        if content is None:
            damage = "is missing or damaged" + ", and so is its second copy" * has_second_copy(name)
            raise ArtifactLostError(f"{self.directory / name} {damage}. Restore it from a backup.")
        return content

    def quarantine_checkpoint(self, name: str) -> None:
        """Move a checkpoint away that is intact as a file but does not fit the session."""
        quarantine_file(self.directory / name)
        self._record_finding(Finding(name, "does not fit the session", "moved to quarantine; its training is repeated"))

    def remove(self, name: str) -> None:
        """Remove a file that no longer belongs to the session."""
        with atomic_files.translate_os_errors(self.directory / name):
            (self.directory / name).unlink(missing_ok=True)

    def list_artifact_names(self) -> set[str]:
        """Return the names of all artifacts of the session and of their second copies."""
        return {name for record in self._repository.list_fingerprints() for name in _list_copy_names(record.name)}

    def remove_unlisted_artifacts(self) -> None:
        """Remove artifacts that the database does not list, left by a crash before they were recorded or after removal.

        After a repair they are moved to quarantine instead, because the database may have lost their records.
        """
        listed_names = self.list_artifact_names()
        for path in list(self.directory.iterdir()):
            if file_names.ARTIFACT_PATTERN.fullmatch(path.name) and path.name not in listed_names:
                if self.repairs:
                    quarantine_file(path)
                else:
                    self.remove(path.name)

    def verify_artifacts(self, repair: bool) -> Iterator[Finding]:
        """Yield every damaged or missing file, and repair it if asked to."""
        for fingerprint in self._repository.list_fingerprints():
            names = _list_copy_names(fingerprint.name)
            is_intact = partial(matches_fingerprint, fingerprint=fingerprint)
            intact_names = [name for name in names if self._read_file(name, is_intact)]
            intact_name = next(iter(intact_names), None)
            for name in names:
                if name not in intact_names:
                    yield self._repair(name, intact_name) if repair else self._describe_damage(name, intact_name)
            if repair and not intact_names and not has_second_copy(fingerprint.name):
                self._repository.remove_file_records([fingerprint.name])

    def _record_finding(self, finding: Finding) -> None:
        if self.repairs is not None:
            self.repairs.append(finding)
        logging.getLogger("vaetui").warning(finding)

    def _repair(self, name: str, intact_name: str | None) -> Finding:
        """Move the damaged file to quarantine and write it again from its intact copy, if there is one."""
        finding = self._describe_damage(name, intact_name)
        path = self.directory / name
        if os.path.lexists(path):
            quarantine_file(path)
        if intact_name is not None:
            intact_path = self.directory / intact_name
            with atomic_files.translate_os_errors(path), atomic_files.open_for_reading(intact_path) as file:
                atomic_files.replace_file(path, atomic_files.read_chunks(file))
        return finding

    def _describe_damage(self, name: str, intact_name: str | None) -> Finding:
        problem = "is damaged" if os.path.lexists(self.directory / name) else "is missing"
        if intact_name is not None:
            return Finding(name, problem, "restored from its second copy")
        if has_second_copy(name):
            return Finding(
                name, problem, "its second copy is damaged too; restore one of them from a backup", is_lost=True
            )
        return Finding(name, problem, "dropped; its training is repeated")

    def _read_file(self, name: str, reader: Callable[[BufferedReader], T]) -> T | None:
        """Apply a reader to a file; return None if the file is missing or permanently unreadable.

        Raises UserError for errors that may be gone at the next attempt: they do not mean that the file is damaged.
        """
        path = self.directory / name
        try:
            with atomic_files.open_for_reading(path) as file:
                return reader(file)
        except OSError as error:
            if error.errno in PERMANENT_ERRNOS:
                return None
            raise UserError(f"Cannot read {path} ({error.strerror}). Fix this and try again.") from error


def has_second_copy(name: str) -> bool:
    """Return whether a file has a second copy; checkpoints have none, because several are kept."""
    return not file_names.CHECKPOINT_PATTERN.fullmatch(name)


def _list_copy_names(name: str) -> list[str]:
    return [name, file_names.second_copy_name(name)] if has_second_copy(name) else [name]


def _read_verified(file: BufferedReader, fingerprint: FileFingerprint) -> bytes | None:
    """Return the content of a file if it is what was written."""
    content = file.read(fingerprint.size_bytes)
    return content if compute_fingerprint(fingerprint.name, content) == fingerprint else None


def matches_fingerprint(file: BufferedReader, fingerprint: FileFingerprint) -> bool:
    """Return whether a file is what was written, without holding it in memory."""
    has_expected_size = os.fstat(file.fileno()).st_size == fingerprint.size_bytes
    return has_expected_size and hashlib.file_digest(file, "sha256").hexdigest() == fingerprint.sha256_hex

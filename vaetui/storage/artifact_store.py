"""The files of a session beside its facts: known by their stamps, kept twice, never believed when they are damaged.

It does not know what is in them.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
from collections.abc import Callable, Iterator
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
from vaetui.storage.untrusted import quarantine_file

T = TypeVar("T")
PERMANENT_ERRNOS = (errno.ENOENT, errno.EISDIR, errno.ELOOP, errno.EIO)
"""Failures that stay: no file, no plain one, a link, a disk that lost it."""


class ArtifactLost(UserError):
    """A file is gone, and so is its copy if it had one."""


class ArtifactStore:
    """The files of one session; who may write mends what is found damaged as it is read."""

    def __init__(self, directory: Path, repository: SessionRepository, repairs: list[Finding] | None = None) -> None:
        """Keep files in that directory; what was mended is added to the list, None is for who may not write."""
        self.directory = directory
        """The session's."""
        self.repairs = repairs
        """What was found damaged and mended since the session was opened."""
        self._notice_count = 0
        self._repository = repository

    @property
    def dimensions(self) -> dict[str, int]:
        """Give the lengths of the sides of all arrays of the session now, by the letters of `clusterings`."""
        (count, height, width, *colours), config = self._repository.shape, self._repository.config
        out = count_validation_images(config.training, count)
        learned = {"N": count - out, "V": out, "Z": config.network.z_dim, "C": config.network.classes}
        return {**learned, "H": height, "W": width, "D": 32, **({"R": colours[0]} if colours else {})}

    def pop_notices(self) -> list[str]:
        """Tell what was mended since this was asked last."""
        told = [str(found) for found in (self.repairs or [])[self._notice_count :]]
        self._notice_count += len(told)
        return told

    def write(self, name: str, content: bytes) -> FileFingerprint:
        """Write a file, and its copy, and give the stamp to be recorded with the fact that names the file."""
        for each in _names_with_mirror(name):
            atomic_files.write(self.directory / each, content)
        return compute_fingerprint(name, content)

    def read(self, name: str, max_bytes: int) -> bytes:
        """Give what a file holds, from its copy if need be; it may have `most` bytes.

        Raises Lost where neither is whole, and Trouble where one cannot be read now.
        """
        stamp = self._repository.find_fingerprint(name)
        for each in _names_with_mirror(name):
            content = self._read_file(each, lambda file: _read_verified(file, stamp, max_bytes))
            if content is not None:
                twin = each
                break
        else:
            twin = None
        if twin != name and self.repairs is not None:
            self._record_finding(self._repair(name, twin))
        if content is None:
            copied = ", and so is its copy" if is_mirrored(name) else ""
            raise ArtifactLost(f"{self.directory / name} is missing or damaged{copied}; put it back from a backup.")
        return content

    def quarantine(self, name: str) -> None:
        """Keep a checkpoint aside that is what was written, and does not fit all the same."""
        quarantine_file(self.directory / name)
        self._record_finding(Finding(name, "does not fit the session", "kept aside, and what it held is trained again"))

    def remove(self, name: str) -> None:
        """Remove a file that is no part of the session any more."""
        with atomic_files.translate_os_errors(self.directory / name):
            (self.directory / name).unlink(missing_ok=True)

    def artifact_names(self) -> set[str]:
        """Name all files that are part of the session by its facts, with their copies."""
        return {each for stamp in self._repository.list_fingerprints() for each in _names_with_mirror(stamp.name)}

    def remove_leftovers(self) -> None:
        """Remove what a crash left: written for facts that were not recorded, or for ones that are gone.

        Where something was mended it is kept aside instead: the facts may be short of something.
        """
        kept = self.artifact_names()
        for path in list(self.directory.iterdir()):
            if file_names.ARTIFACT_PATTERN.fullmatch(path.name) and path.name not in kept:
                if self.repairs:
                    quarantine_file(path)
                else:
                    self.remove(path.name)

    def verify(self, repair: bool) -> Iterator[Finding]:
        """Find every file that is damaged, and mend it where that is wanted."""
        for stamp in self._repository.list_fingerprints():
            names = _names_with_mirror(stamp.name)
            sound = [name for name in names if self._read_file(name, partial(_matches_fingerprint, fingerprint=stamp))]
            twin = sound[0] if sound else None
            for name in names:
                if name not in sound:
                    yield self._repair(name, twin) if repair else self._describe_damage(name, twin)
            if repair and not sound and not is_mirrored(stamp.name):
                self._repository.remove_file_records([stamp.name])

    def _record_finding(self, finding: Finding) -> None:
        if self.repairs is not None:
            self.repairs.append(finding)
        logging.getLogger("vaetui").warning(finding)

    def _repair(self, name: str, intact_name: str | None) -> Finding:
        """Keep the damaged file aside and write it anew from its twin, if that is whole."""
        found = self._describe_damage(name, intact_name)
        path = self.directory / name
        if os.path.lexists(path):
            quarantine_file(path)
        if intact_name is not None:
            with (
                atomic_files.translate_os_errors(path),
                atomic_files.open_for_reading(self.directory / intact_name) as file,
            ):
                atomic_files.write(path, atomic_files.read_chunks(file))
        return found

    def _describe_damage(self, name: str, intact_name: str | None) -> Finding:
        wrong = "is damaged" if os.path.lexists(self.directory / name) else "is missing"
        if intact_name is not None:
            return Finding(name, wrong, "made anew from its twin")
        if is_mirrored(name):
            return Finding(name, wrong, "so is its twin; put one of them back from a backup", is_lost=True)
        return Finding(name, wrong, "forgotten, and what it held is trained again")

    def _read_file(self, name: str, reader: Callable[[BufferedReader], T]) -> T | None:
        """Read a file in some way; None for one that is not there or that the disk cannot give back.

        Raises Trouble for what may be otherwise the next time: it is no reason to call a file damaged.
        """
        path = self.directory / name
        try:
            with atomic_files.open_for_reading(path) as file:
                return reader(file)
        except OSError as error:
            if error.errno in PERMANENT_ERRNOS:
                return None
            raise UserError(f"{path} cannot be read ({error.strerror}); mend that and try again.") from error


def is_mirrored(name: str) -> bool:
    """Tell whether a file is kept twice; of checkpoints there are several anyway."""
    return not file_names.CHECKPOINT_PATTERN.fullmatch(name)


def _names_with_mirror(name: str) -> list[str]:
    """Name a file and its copy, where it has one."""
    return [name, file_names.mirror_name(name)] if is_mirrored(name) else [name]


def _read_verified(file: BufferedReader, fingerprint: FileFingerprint | None, max_bytes: int) -> bytes | None:
    """Read a file if it is what was written; a session of an older format has no stamps."""
    size = os.fstat(file.fileno()).st_size
    if size > max_bytes or (fingerprint is not None and size != fingerprint.size_bytes):
        return None
    content = file.read(size)
    return content if fingerprint is None or compute_fingerprint(fingerprint.name, content) == fingerprint else None


def _matches_fingerprint(file: BufferedReader, fingerprint: FileFingerprint) -> bool:
    """Tell whether a file is what was written, without holding it in memory."""
    whole = os.fstat(file.fileno()).st_size == fingerprint.size_bytes
    return whole and hashlib.file_digest(file, "sha256").hexdigest() == fingerprint.sha256_hex

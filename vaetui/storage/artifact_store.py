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

from vaetui.engine.config import held_out
from vaetui.errors import Trouble
from vaetui.storage import atomic_files, file_names
from vaetui.storage.findings import Finding
from vaetui.storage.fingerprints import Stamp, stamped
from vaetui.storage.repository import Facts
from vaetui.storage.untrusted import set_aside

T = TypeVar("T")
GONE = (errno.ENOENT, errno.EISDIR, errno.ELOOP, errno.EIO)
"""Failures that stay: no file, no plain one, a link, a disk that lost it."""


class Lost(Trouble):
    """A file is gone, and so is its copy if it had one."""


class Vault:
    """The files of one session; who may write mends what is found damaged as it is read."""

    def __init__(self, directory: Path, facts: Facts, mended: list[Finding] | None = None) -> None:
        """Keep files in that directory; what was mended is added to the list, None is for who may not write."""
        self.directory = directory
        """The session's."""
        self.mended = mended
        """What was found damaged and mended since the session was opened."""
        self._told = 0
        self._facts = facts

    @property
    def sides(self) -> dict[str, int]:
        """Give the lengths of the sides of all arrays of the session now, by the letters of `clusterings`."""
        (count, height, width, *colours), config = self._facts.shape, self._facts.config
        out = held_out(config.training, count)
        learned = {"N": count - out, "V": out, "Z": config.network.z_dim, "C": config.network.classes}
        return {**learned, "H": height, "W": width, "D": 32, **({"R": colours[0]} if colours else {})}

    def news(self) -> list[str]:
        """Tell what was mended since this was asked last."""
        told = [str(found) for found in (self.mended or [])[self._told :]]
        self._told += len(told)
        return told

    def put(self, name: str, content: bytes) -> Stamp:
        """Write a file, and its copy, and give the stamp to be recorded with the fact that names the file."""
        for each in _both(name):
            atomic_files.write(self.directory / each, content)
        return stamped(name, content)

    def get(self, name: str, most: int) -> bytes:
        """Give what a file holds, from its copy if need be; it may have `most` bytes.

        Raises Lost where neither is whole, and Trouble where one cannot be read now.
        """
        stamp = self._facts.stamp(name)
        for each in _both(name):
            content = self._read(each, lambda file: _whole(file, stamp, most))
            if content is not None:
                twin = each
                break
        else:
            twin = None
        if twin != name and self.mended is not None:
            self._hear(self._mended(name, twin))
        if content is None:
            copied = ", and so is its copy" if twice(name) else ""
            raise Lost(f"{self.directory / name} is missing or damaged{copied}; put it back from a backup.")
        return content

    def reject(self, name: str) -> None:
        """Keep a checkpoint aside that is what was written, and does not fit all the same."""
        set_aside(self.directory / name)
        self._hear(Finding(name, "does not fit the session", "kept aside, and what it held is trained again"))

    def drop(self, name: str) -> None:
        """Remove a file that is no part of the session any more."""
        with atomic_files.explained(self.directory / name):
            (self.directory / name).unlink(missing_ok=True)

    def names(self) -> set[str]:
        """Name all files that are part of the session by its facts, with their copies."""
        return {each for stamp in self._facts.stamps() for each in _both(stamp.name)}

    def sweep(self) -> None:
        """Remove what a crash left: written for facts that were not recorded, or for ones that are gone.

        Where something was mended it is kept aside instead: the facts may be short of something.
        """
        kept = self.names()
        for path in list(self.directory.iterdir()):
            if file_names.NAMED.fullmatch(path.name) and path.name not in kept:
                if self.mended:
                    set_aside(path)
                else:
                    self.drop(path.name)

    def audit(self, repair: bool) -> Iterator[Finding]:
        """Find every file that is damaged, and mend it where that is wanted."""
        for stamp in self._facts.stamps():
            names = _both(stamp.name)
            sound = [name for name in names if self._read(name, partial(_is, stamp=stamp))]
            twin = sound[0] if sound else None
            for name in names:
                if name not in sound:
                    yield self._mended(name, twin) if repair else self._finding(name, twin)
            if repair and not sound and not twice(stamp.name):
                self._facts.forget([stamp.name])

    def _hear(self, found: Finding) -> None:
        if self.mended is not None:
            self.mended.append(found)
        logging.getLogger("vaetui").warning(found)

    def _mended(self, name: str, twin: str | None) -> Finding:
        """Keep the damaged file aside and write it anew from its twin, if that is whole."""
        found = self._finding(name, twin)
        path = self.directory / name
        if os.path.lexists(path):
            set_aside(path)
        if twin is not None:
            with atomic_files.explained(path), atomic_files.read(self.directory / twin) as file:
                atomic_files.write(path, atomic_files.pieces(file))
        return found

    def _finding(self, name: str, twin: str | None) -> Finding:
        wrong = "is damaged" if os.path.lexists(self.directory / name) else "is missing"
        if twin is not None:
            return Finding(name, wrong, "made anew from its twin")
        if twice(name):
            return Finding(name, wrong, "so is its twin; put one of them back from a backup", lost=True)
        return Finding(name, wrong, "forgotten, and what it held is trained again")

    def _read(self, name: str, read: Callable[[BufferedReader], T]) -> T | None:
        """Read a file in some way; None for one that is not there or that the disk cannot give back.

        Raises Trouble for what may be otherwise the next time: it is no reason to call a file damaged.
        """
        path = self.directory / name
        try:
            with atomic_files.read(path) as file:
                return read(file)
        except OSError as error:
            if error.errno in GONE:
                return None
            raise Trouble(f"{path} cannot be read ({error.strerror}); mend that and try again.") from error


def twice(name: str) -> bool:
    """Tell whether a file is kept twice; of checkpoints there are several anyway."""
    return not file_names.CHECKPOINT.fullmatch(name)


def _both(name: str) -> list[str]:
    """Name a file and its copy, where it has one."""
    return [name, file_names.copy(name)] if twice(name) else [name]


def _whole(file: BufferedReader, stamp: Stamp | None, most: int) -> bytes | None:
    """Read a file if it is what was written; a session of an older format has no stamps."""
    size = os.fstat(file.fileno()).st_size
    if size > most or (stamp is not None and size != stamp.size):
        return None
    content = file.read(size)
    return content if stamp is None or stamped(stamp.name, content) == stamp else None


def _is(file: BufferedReader, stamp: Stamp) -> bool:
    """Tell whether a file is what was written, without holding it in memory."""
    whole = os.fstat(file.fileno()).st_size == stamp.size
    return whole and hashlib.file_digest(file, "sha256").hexdigest() == stamp.digest

"""The files of a session beside its facts: known by their stamps, kept twice, never believed when they are damaged.

It does not know what is in them.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from vaetui.engine.config import held_out
from vaetui.store import files, places
from vaetui.store.entries import set_aside
from vaetui.store.facts import Facts
from vaetui.store.findings import Finding
from vaetui.store.stamps import Stamp, stamped
from vaetui.trouble import Trouble


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

    def sides(self) -> dict[str, int]:
        """Give the lengths of the sides of all arrays of the session, by the letters of `clusterings`."""
        (count, height, width), config = self._facts.shape, self._facts.config
        out = held_out(config.training, count)
        learned = {"N": count - out, "V": out, "Z": config.network.z_dim, "C": config.network.classes}
        return {**learned, "H": height, "W": width, "D": 32}

    def news(self) -> list[str]:
        """Tell what was mended since this was asked last."""
        told = [str(found) for found in (self.mended or [])[self._told :]]
        self._told += len(told)
        return told

    def put(self, name: str, content: bytes, twice: bool = True) -> Stamp:
        """Write a file, and its copy, and give the stamp to be recorded with the fact that names the file."""
        for each in (name, places.copy(name))[: 1 + twice]:
            files.write(self.directory / each, content)
        return stamped(name, content)

    def get(self, name: str, most: int) -> bytes:
        """Give what a file holds, from its copy if need be; it may have `most` bytes.

        Raises Trouble where neither is whole.
        """
        stamp = self._facts.stamp(name)
        content = self._whole(name, stamp, most)
        if content is not None:
            return content
        content = self._whole(places.copy(name), stamp, most)
        if self.mended is not None:
            self.mended.append(self._mended(name, content))
            logging.getLogger("vaetui").warning(self.mended[-1])
        if content is None:
            copied = ", and so is its copy" if twice(name) else ""
            raise Trouble(f"{self.directory / name} is missing or damaged{copied}; put it back from a backup.")
        return content

    def drop(self, name: str) -> None:
        """Remove a file that is no part of the session any more."""
        with files.explained(self.directory / name):
            (self.directory / name).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what a crash left: written for facts that were not recorded, or for ones that are gone."""
        kept = [name for stamp in self._facts.stamps() for name in (stamp.name, places.copy(stamp.name))]
        for path in self.directory.iterdir():
            if places.NAMED.fullmatch(path.name) and path.name not in kept:
                self.drop(path.name)

    def audit(self, repair: bool) -> Iterator[Finding]:
        """Find every file that is damaged, and mend it where that is wanted."""
        for stamp in self._facts.stamps():
            names = (stamp.name, places.copy(stamp.name))[: 1 + twice(stamp.name)]
            sound = [name for name in names if self._sound(name, stamp)]
            good = self._whole(sound[0], stamp, stamp.size) if 0 < len(sound) < len(names) else None
            for name in names:
                if name not in sound:
                    yield self._mended(name, good) if repair else self._finding(name, good)
            if repair and not sound and not twice(stamp.name):
                self._facts.forget([stamp.name])

    def _mended(self, name: str, content: bytes | None) -> Finding:
        """Keep the damaged file aside and write it anew from what its twin holds, if that is whole."""
        found = self._finding(name, content)
        path = self.directory / name
        if os.path.lexists(path):
            set_aside(path)
        if content is not None:
            files.write(path, content)
        return found

    def _finding(self, name: str, content: bytes | None) -> Finding:
        wrong = "is damaged" if os.path.lexists(self.directory / name) else "is missing"
        if content is not None:
            return Finding(name, wrong, "made anew from its twin")
        if twice(name):
            return Finding(name, wrong, "so is its twin; put one of them back from a backup", lost=True)
        return Finding(name, wrong, "what it held is trained again")

    def _whole(self, name: str, stamp: Stamp | None, most: int) -> bytes | None:
        """Read a file if it is what was written; a session of an older format has no stamps."""
        with self._opened(name) as file:
            size = os.fstat(file.fileno()).st_size if file else most + 1
            if file is None or size > most or (stamp is not None and size != stamp.size):
                return None
            content = file.read(size)
        fits = stamp is None or stamped(stamp.name, content) == stamp
        return content if fits else None

    def _sound(self, name: str, stamp: Stamp) -> bool:
        """Tell whether a file is what was written, without holding it in memory."""
        with self._opened(name) as file:
            if file is None or os.fstat(file.fileno()).st_size != stamp.size:
                return False
            return hashlib.file_digest(file, "sha256").hexdigest() == stamp.digest

    @contextmanager
    def _opened(self, name: str) -> Iterator[BufferedReader | None]:
        """Open a file for a while; None for one that is not there or that the disk cannot read any more."""
        path = self.directory / name
        try:
            with files.read(path) as file:
                yield file
        except PermissionError as error:
            raise Trouble(f"{path} may not be read; make it yours, and readable.") from error
        except OSError:
            yield None


def twice(name: str) -> bool:
    """Tell whether a file is kept twice; of checkpoints there are several anyway."""
    return not places.CHECKPOINT.fullmatch(name)

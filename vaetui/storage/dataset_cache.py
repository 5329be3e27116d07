"""Sets of decoded images that sessions share, each made once; it does not know what was decoded.

A set is a directory of IDX files, as any other data set, with a line for each file that was looked at.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from vaetui.storage import atomic_files, locations
from vaetui.storage.atomic_files import explained

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEW = 3_600.0
"""Seconds for which a set is new."""
ABOUT, FILES, SKIPPED = "set.json", "files.jsonl", "skipped.txt"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a set comes from."""

    path: str
    """What a person named."""
    wish: dict[str, Any]
    """How they wanted it."""
    classes: tuple[str, ...] | None
    """The names of the classes, where there are any."""
    root: str | None
    """What the names of files are relative to, where each is one image."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file that was looked at."""

    name: str
    """Its path, relative to where the set comes from."""
    size: int
    """Its bytes."""
    changed: int
    """When it changed last, in nanoseconds since 1970."""
    reason: str | None = None
    """Why it was skipped, None where it was not."""


def all_sets() -> Path:
    """Give the directory of all sets."""
    return locations.sessions().parent / "sets"


def place(key: str) -> Path:
    """Give the directory of the set that has that key."""
    return all_sets() / key


@contextmanager
def making(key: str, anew: bool = False) -> Iterator[Path]:
    """Give an empty directory that becomes the set when it is whole; `anew` in the place of one that is there."""
    made = place(key)
    beginning, former = (made.with_name(f".{key}-{os.getpid()}{end}") for end in ("", "-former"))
    with explained(made):
        made.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(beginning, ignore_errors=True)
        beginning.mkdir(mode=0o700)
    try:
        yield beginning
        with explained(made):
            if anew or origin(made) is None:
                atomic_files.sync(beginning)
                if made.exists():
                    made.rename(former)
                beginning.rename(made)
                atomic_files.sync(made.parent)
    finally:
        shutil.rmtree(beginning, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)


def describe(directory: Path, origin: Origin, seen: Iterable[Seen]) -> None:
    """Write where a set that is being made comes from, and what was looked at."""
    seen = list(seen)
    lines = (json.dumps([it.name, it.size, it.changed, it.reason]) + "\n" for it in seen)
    atomic_files.write(directory / FILES, (line.encode() for line in lines))
    skipped = "".join(f"{it.name} {it.reason}\n" for it in seen if it.reason)
    atomic_files.write(directory / SKIPPED, skipped.encode())
    about = {**asdict(origin), "told": _digest(directory)}
    atomic_files.write(directory / ABOUT, json.dumps(about).encode())


def origin(directory: Path) -> Origin | None:
    """Tell where a set comes from; None for a directory that a person made."""
    try:
        return read_origin(json.loads((directory / ABOUT).read_bytes()))
    except (OSError, ValueError):
        return None


def read_origin(told: Any) -> Origin:
    """Read what `asdict` made of an origin.

    Raises ValueError for what it would not have made: the file may be damaged, or a stranger's.
    """
    try:
        path, wish, classes, root = (told[name] for name in ("path", "wish", "classes", "root"))
    except (LookupError, TypeError):
        raise ValueError("no origin") from None
    if not (isinstance(path, str) and isinstance(wish, dict) and isinstance(classes, list | None)):
        raise ValueError("an origin of another form")
    if not isinstance(root, str | None):
        raise ValueError("a root that is no path")
    return Origin(path, wish, None if classes is None else tuple(map(str, classes)), root)


def seen(directory: Path) -> list[Seen]:
    """List what was looked at; nothing for what was no set of files."""
    try:
        with (directory / FILES).open(encoding="utf-8") as file:
            return [Seen(*json.loads(line)) for line in file]
    except (OSError, ValueError, TypeError):
        return []


def told(directory: Path) -> bool:
    """Tell whether a set still says where it comes from, what was looked at, and which labels it has."""
    try:
        about = json.loads((directory / ABOUT).read_bytes())
        read_origin(about)
        return bool(about.get("told", "") in ("", _digest(directory)))  # older sets did not tell
    except (OSError, ValueError):
        return False


def sweep(used: Iterable[Path]) -> None:
    """Remove the sets that nobody uses any more, but for new ones: a session may be about to begin with them."""
    kept = set(used)
    for each in all_sets().glob("*"):
        if each not in kept and each.stat().st_mtime < time.time() - NEW:
            shutil.rmtree(each, ignore_errors=True)


class IdxWriter:
    """An IDX file of bytes that is written piece by piece; how many there are is told at the end."""

    def __init__(self, path: Path, sides: tuple[int, ...]) -> None:
        """Begin the file of arrays that have these sides each."""
        self.count = 0
        """How many were added so far."""
        self._path, self._sides = path, sides

    def __enter__(self) -> IdxWriter:
        """Open the file."""
        with explained(self._path):
            self._file = atomic_files.written(self._path, os.O_TRUNC)
            self._file.write(self._head())
        return self

    def add(self, arrays: NDArray[np.uint8]) -> None:
        """Add arrays [n, ...]."""
        with explained(self._path):
            self._file.write(arrays.tobytes())
        self.count += len(arrays)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Tell how many there are, and close the file."""
        with explained(self._path), self._file:
            if kind is None:
                self._file.seek(0)
                self._file.write(self._head())
                self._file.flush()
                os.fsync(self._file.fileno())

    def _head(self) -> bytes:
        shape = (self.count, *self._sides)
        return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)


def _digest(directory: Path) -> str:
    """Give the SHA-256 of all that is told of the images; their own are known to the sessions that use them."""
    digest = hashlib.sha256()
    for path in [directory / FILES, *sorted(directory.glob("*-labels-*"))]:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()

"""What stands in a session's directory: plain files and nothing that leads out; it does not know what is in them."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from vaetui.errors import Trouble
from vaetui.storage import atomic_files, file_names

SUPER = bytes.fromhex("d9d505f920a163d7")
"""The end of an SQLite journal that names another file, which SQLite would then look for and may delete."""


def refuse_strange(directory: Path) -> None:
    """Refuse a directory that holds anything but what a session keeps there, with Trouble.

    To be asked before any file in it is opened: a link may lead to somebody else's file.
    """
    for path, why in strange(directory):
        raise Trouble(f"{path} {why}; if you trust the rest, mend it with: vaetui check {directory.name} --repair")


def strange(directory: Path) -> Iterator[tuple[Path, str]]:
    """List what no session keeps, each with the reason."""
    with atomic_files.explained(directory):
        for path in sorted(directory.iterdir()):
            with suppress(FileNotFoundError):  # a process that trains makes and removes files
                why = _strangeness(path, path.lstat())
                if why is not None:
                    yield path, why


def set_aside(path: Path) -> str:
    """Move what is damaged out of the way, for a person to look at, and say what became of it."""
    aside = file_names.damaged(path.parent)
    with atomic_files.explained(path):
        if path.is_symlink():
            path.unlink()  # there is nothing in it to look at
            return "removed"
        if path.is_file() and path.lstat().st_nlink > 1:
            with atomic_files.read(path) as file:
                atomic_files.write(path, atomic_files.pieces(file))
            return "made a file of its own"
        if aside.is_symlink():
            aside.unlink()
        if path == aside and aside.is_dir():
            return "removed"  # it was a link until something else was kept aside
        if not aside.is_dir():
            if path == aside:
                path = path.rename(path.with_name(f"{path.name}.file"))
            aside.mkdir(mode=0o700)
        names = itertools.chain([path.name], (f"{path.name}.{number}" for number in itertools.count(2)))
        place = next(aside / name for name in names if not os.path.lexists(aside / name))
        path.rename(place)
    return f"kept aside in {aside.name}/{place.name}"


def _strangeness(path: Path, found: os.stat_result) -> str | None:
    aside = file_names.damaged(path.parent)
    if stat.S_ISLNK(found.st_mode):
        return "is a link, and a session holds plain files only"
    if not (stat.S_ISDIR(found.st_mode) if path == aside else stat.S_ISREG(found.st_mode)):
        return "is no directory" if path == aside else "is no plain file"
    if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
        return "has a second name elsewhere (a hard link), which would change with it"
    if path.name == f"{file_names.FACTS}-journal" and _names_another(path):
        return "names a file outside the session"
    return None


def _names_another(journal: Path) -> bool:
    with journal.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - len(SUPER), 0))
        return file.read() == SUPER

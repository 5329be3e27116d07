"""What stands in a session's directory: plain files and nothing that leads out; it does not know what is in them."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from vaetui.errors import UserError
from vaetui.storage import atomic_files, file_names

SUPER_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
"""The end of an SQLite journal that names another file, which SQLite would then look for and may delete."""


def refuse_untrusted_entries(directory: Path) -> None:
    """Refuse a directory that holds anything but what a session keeps there, with Trouble.

    To be asked before any file in it is opened: a link may lead to somebody else's file.
    """
    for path, why in untrusted_entries(directory):
        raise UserError(f"{path} {why}; if you trust the rest, mend it with: vaetui check {directory.name} --repair")


def untrusted_entries(directory: Path) -> Iterator[tuple[Path, str]]:
    """List what no session keeps, each with the reason."""
    with atomic_files.translate_os_errors(directory):
        for path in sorted(directory.iterdir()):
            with suppress(FileNotFoundError):  # a process that trains makes and removes files
                why = _untrusted_reason(path, path.lstat())
                if why is not None:
                    yield path, why


def quarantine_file(path: Path) -> str:
    """Move what is damaged out of the way, for a person to look at, and say what became of it."""
    aside = file_names.quarantine_directory(path.parent)
    with atomic_files.translate_os_errors(path):
        if path.is_symlink():
            path.unlink()  # there is nothing in it to look at
            return "removed"
        if path.is_file() and path.lstat().st_nlink > 1:
            with atomic_files.open_for_reading(path) as file:
                atomic_files.write(path, atomic_files.read_chunks(file))
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


def _untrusted_reason(path: Path, status: os.stat_result) -> str | None:
    aside = file_names.quarantine_directory(path.parent)
    if stat.S_ISLNK(status.st_mode):
        return "is a link, and a session holds plain files only"
    if not (stat.S_ISDIR(status.st_mode) if path == aside else stat.S_ISREG(status.st_mode)):
        return "is no directory" if path == aside else "is no plain file"
    if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
        return "has a second name elsewhere (a hard link), which would change with it"
    if path.name == f"{file_names.DATABASE_NAME}-journal" and _has_super_journal(path):
        return "names a file outside the session"
    return None


def _has_super_journal(journal_path: Path) -> bool:
    with journal_path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - len(SUPER_JOURNAL_MAGIC), 0))
        return file.read() == SUPER_JOURNAL_MAGIC

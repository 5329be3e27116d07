"""Detection and quarantine of links, pipes and other entries that a session directory must not contain."""

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
"""The end of an SQLite journal that names another file, which SQLite would open and may delete."""


def refuse_untrusted_entries(directory: Path) -> None:
    """Raise UserError if a session directory contains anything but plain files and the quarantine directory.

    Call this before opening any file in the directory: a link may lead to another user's file.
    """
    for path, reason in find_untrusted_entries(directory):
        raise UserError(
            f"{path} {reason}. If you trust the other files, repair it with: vaetui check {directory.name} --repair"
        )


def find_untrusted_entries(directory: Path) -> Iterator[tuple[Path, str]]:
    """Yield the entries that a session directory must not contain, each with the reason."""
    with atomic_files.translate_os_errors(directory):
        for path in sorted(directory.iterdir()):
            with suppress(FileNotFoundError):  # another process may remove files while it trains
                reason = _find_untrusted_reason(path, path.lstat())
                if reason is not None:
                    yield path, reason


def quarantine_file(path: Path) -> str:
    """Move a file to the quarantine directory and return what was done, as a participle.

    A link is removed; a file with a second hard link is replaced by a copy of its own.
    """
    quarantine = file_names.quarantine_directory(path.parent)
    with atomic_files.translate_os_errors(path):
        if path.is_symlink():
            path.unlink()
            return "removed"
        if path.is_file() and path.lstat().st_nlink > 1:
            with atomic_files.open_for_reading(path) as file:
                atomic_files.replace_file(path, atomic_files.read_chunks(file))
            return "replaced by a separate copy"
        if quarantine.is_symlink():
            quarantine.unlink()
        if path == quarantine and quarantine.is_dir():
            return "removed"  # it was a link until another file was moved here
        if not quarantine.is_dir():
            if path == quarantine:
                path = path.rename(path.with_name(f"{path.name}.file"))
            quarantine.mkdir(mode=0o700)
        names = itertools.chain([path.name], (f"{path.name}.{number}" for number in itertools.count(2)))
        target = next(quarantine / name for name in names if not os.path.lexists(quarantine / name))
        path.rename(target)
    return f"moved to {quarantine.name}/{target.name}"


def _find_untrusted_reason(path: Path, status: os.stat_result) -> str | None:
    quarantine = file_names.quarantine_directory(path.parent)
    if stat.S_ISLNK(status.st_mode):
        return "is a link; a session directory contains plain files only"
    if path == quarantine and not stat.S_ISDIR(status.st_mode):
        return "is not a directory"
    if path != quarantine and not stat.S_ISREG(status.st_mode):
        return "is not a plain file"
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

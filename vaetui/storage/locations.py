"""Directories of sessions and caches, and the names of sessions."""

from __future__ import annotations

import difflib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from vaetui.errors import UserError
from vaetui.storage import atomic_files, file_names
from vaetui.storage.atomic_files import translate_os_errors

UNFINISHED_SUFFIX = ".unfinished"
"""Suffix of a session directory that is being created or deleted; its name starts with a dot."""
LOCK_TIMEOUT_S = 20.0
"""How long to wait for another process that creates or deletes a session, which takes about 0.1 s."""
SESSION_NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Names that are safe in a path, in a shell and on a screen."""


class OlderFormatError(UserError):
    """A version of vaetui from before format 1 made the session."""


def sessions_directory() -> Path:
    """Return the directory of all sessions: below VAETUI_HOME, else below the platform's user data directory."""
    home = os.environ.get("VAETUI_HOME")
    parent = Path(home) if home else Path(platformdirs.user_data_dir("vaetui", appauthor=False))
    return parent.absolute() / "sessions"  # a background process changes the working directory


def features_directory() -> Path:
    """Return the directory of all stored vectors, beside the sessions that share them."""
    return sessions_directory().parent / "features"


def cache_directory() -> Path:
    """Return the directory of reproducible files: below VAETUI_HOME, else the platform's user cache directory."""
    home = os.environ.get("VAETUI_HOME")
    return Path(home) / "cache" if home else Path(platformdirs.user_cache_dir("vaetui", appauthor=False))


@contextmanager
def create_session_atomically(names: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Yield the first free name and an empty directory, which gets that name when the block ends without an error.

    The directory is readable by its owner only. Raises UserError if the last name is taken as well or is invalid.
    """
    with translate_os_errors(sessions_directory()), _lock_sessions_directory():
        *others, last = names
        name = next(filter(is_name_free, others), None) or require_free_name(last)
        unfinished = sessions_directory() / f".{name}{UNFINISHED_SUFFIX}"
        unfinished.mkdir(mode=0o700)
        try:
            yield name, unfinished
            unfinished.rename(sessions_directory() / name)
            atomic_files.sync_directory(sessions_directory())
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise


def is_name_free(name: str) -> bool:
    """Return whether no session has that name."""
    return not os.path.lexists(sessions_directory() / name)


def require_free_name(name: str) -> str:
    """Return the name; raise UserError if it is invalid or taken."""
    if not is_name_free(require_valid_name(name)):
        raise UserError(f"Session {name} already exists. Resume it with: vaetui resume {name}, or choose another name.")
    return name


def find_session(name: str, allow_older: bool = False) -> Path:
    """Return the directory of a session; raises UserError with similar names, OlderFormatError unless `allow_older`."""
    path = sessions_directory() / require_valid_name(name)
    if not _has_any(path, (*file_names.DATABASE_AND_JOURNAL_NAMES, *file_names.OLDER_FORMAT_NAMES)):
        similar_names = difflib.get_close_matches(name, list_session_names(), n=3, cutoff=0.5)
        advice = f"Did you mean {' or '.join(similar_names)}?" if similar_names else "List all with: vaetui sessions"
        raise UserError(f"There is no session {name}. {advice}")
    if not allow_older and not _has_any(path, file_names.DATABASE_AND_JOURNAL_NAMES):
        raise OlderFormatError(describe_older_format(name))
    return path


def describe_older_format(name: str) -> str:
    """Return the message that refuses a session of an older format."""
    return (
        f"Session {name} was made by an older vaetui in a format that this version cannot read. Open it with that "
        f"version, or delete it with: vaetui delete {name}"
    )


def list_session_names() -> list[str]:
    """Return the names of all sessions, damaged and older ones included, most recently used first."""
    names = (*file_names.DATABASE_AND_JOURNAL_NAMES, *file_names.OLDER_FORMAT_NAMES)
    entries = sessions_directory().glob("*")
    paths = (path for path in entries if SESSION_NAME_PATTERN.fullmatch(path.name) and _has_any(path, names))
    return [path.name for path in sorted(paths, key=_find_modification_time, reverse=True)]


def find_last_used_time(name: str) -> float:
    """Return the Unix time of the last change of a session; 0 if unknown."""
    return _find_modification_time(sessions_directory() / require_valid_name(name))


def remove_session(name: str) -> None:
    """Delete a session with all its files; its name is free at once."""
    unfinished = sessions_directory() / f".{name}{UNFINISHED_SUFFIX}"
    with translate_os_errors(unfinished), _lock_sessions_directory():
        path = find_session(name, allow_older=True)
        if path.is_symlink():
            raise UserError(f"{path} is a link to {path.resolve()}. Delete that directory and the link yourself.")
        path.rename(unfinished)
        shutil.rmtree(unfinished)


def require_valid_name(name: str) -> str:
    """Return the name; raise UserError if it is invalid, so that no name leads out of the sessions directory."""
    if not SESSION_NAME_PATTERN.fullmatch(name):
        raise UserError(
            f"{name!r} cannot be the name of a session. Use up to 64 letters, digits, dots, dashes and underscores, "
            "starting with a letter or a digit."
        )
    return name


@contextmanager
def _lock_sessions_directory() -> Iterator[None]:
    """Keep other processes from creating or deleting sessions; raise UserError if one of them takes too long."""
    sessions_directory().mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with FileLock(sessions_directory().parent / "sessions.lock", timeout=LOCK_TIMEOUT_S, mode=0o600):
            for leftover in sessions_directory().glob(f".*{UNFINISHED_SUFFIX}"):  # of a killed process
                shutil.rmtree(leftover, ignore_errors=True)
            yield
    except Timeout as error:
        raise UserError(
            "Another process is creating or deleting a session and does not finish. End that process first."
        ) from error


def _has_any(directory: Path, names: Iterable[str]) -> bool:
    # lexists: a session whose file became a broken link is damaged, not gone.
    return any(os.path.lexists(directory / name) for name in names)


def _find_modification_time(path: Path) -> float:
    with suppress(OSError):  # deleted meanwhile, an older format, or a link to itself
        return file_names.database_path(path).stat().st_mtime
    return 0.0

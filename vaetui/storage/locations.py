"""Where sessions and what can be made again live, and what sessions are called; it does not know what is in them."""

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
"""The ending of a directory that is no session yet, or none any more; a dot stands before its name."""
LOCK_TIMEOUT_S = 20.0
"""Seconds to wait for somebody who makes a session, which takes a tenth of one."""
SESSION_NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Names that are safe in a path, in a shell and on a screen."""


def sessions_directory() -> Path:
    """Give the directory of all sessions: below VAETUI_HOME, else below the platform's place for user data."""
    home = os.environ.get("VAETUI_HOME")
    place = Path(home) if home else Path(platformdirs.user_data_dir("vaetui", appauthor=False))
    return place.absolute() / "sessions"  # whoever leaves its terminal leaves the working directory too


def cache_directory() -> Path:
    """Give the directory of what can be made again: below VAETUI_HOME, else the platform's place for caches."""
    home = os.environ.get("VAETUI_HOME")
    return Path(home) / "cache" if home else Path(platformdirs.user_cache_dir("vaetui", appauthor=False))


@contextmanager
def create_session_atomically(names: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Make the directory of a new session under the first of the names that is free, which it gets when it is whole.

    Gives the name and the directory, which its owner only may read. Raises Trouble where the last name is taken too,
    or a name cannot be one.
    """
    with translate_os_errors(sessions_directory()), _exclusive_access():
        name = _first_free_name(names)
        beginning = sessions_directory() / f".{name}{UNFINISHED_SUFFIX}"
        beginning.mkdir(mode=0o700)
        try:
            yield name, beginning
            beginning.rename(sessions_directory() / name)
            atomic_files.sync_directory(sessions_directory())
        except BaseException:
            shutil.rmtree(beginning, ignore_errors=True)
            raise


def is_free(name: str) -> bool:
    """Tell whether a name is not taken."""
    return not os.path.lexists(sessions_directory() / name)


def require_free(name: str) -> str:
    """Give the name back if a new session can have it, else raise Trouble."""
    if not is_free(validate_name(name)):
        raise UserError(
            f"A session {name} is there already; resume it with: vaetui resume {name}, or choose another name."
        )
    return name


def find_session(name: str) -> Path:
    """Give the directory of a session.

    Raises Trouble for an unknown name, with near ones.
    """
    path = sessions_directory() / validate_name(name)
    if not _is_session(path):
        near = difflib.get_close_matches(name, session_names(), n=3, cutoff=0.5)
        advice = f"did you mean {' or '.join(near)}?" if near else "vaetui sessions lists them."
        raise UserError(f"There is no session {name}; {advice}")
    return path


def session_names() -> list[str]:
    """List the sessions, latest used first."""
    found = [
        path
        for path in sessions_directory().glob("*")
        if SESSION_NAME_PATTERN.fullmatch(path.name) and _is_session(path)
    ]
    return [path.name for path in sorted(found, key=_last_used_time, reverse=True)]


def latest_session_name() -> str:
    """Name the session that was used last.

    Raises Trouble where there is none.
    """
    known = session_names()
    if not known:
        raise UserError("There is no session yet; begin one with: vaetui new.")
    return known[0]


def remove_session(name: str) -> None:
    """Delete a session with everything in it; from the first moment its name is free."""
    ending = sessions_directory() / f".{name}{UNFINISHED_SUFFIX}"
    with translate_os_errors(ending), _exclusive_access():
        path = find_session(name)
        if path.is_symlink():
            raise UserError(f"{path} is a link to {path.resolve()}; delete that directory, and the link, yourself.")
        path.rename(ending)
        shutil.rmtree(ending)


def validate_name(name: str) -> str:
    """Give the name back if it can be one, else raise Trouble: a name never leads out of the sessions' directory."""
    if not SESSION_NAME_PATTERN.fullmatch(name):
        raise UserError(
            f"{name!r} cannot name a session; use up to 64 letters, digits, dots, dashes and underscores, "
            "the first a letter or a digit, and no path."
        )
    return name


@contextmanager
def _exclusive_access() -> Iterator[None]:
    """Let nobody else make or remove a session for a moment.

    Raises Trouble where somebody does so for long.
    """
    sessions_directory().mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with FileLock(sessions_directory().parent / "making.lock", timeout=LOCK_TIMEOUT_S, mode=0o600):
            for left in sessions_directory().glob(f".*{UNFINISHED_SUFFIX}"):  # by a kill
                shutil.rmtree(left, ignore_errors=True)
            yield
    except Timeout as error:
        raise UserError("Another process has begun to make a session and does not go on; end it first.") from error


def _first_free_name(names: Iterable[str]) -> str:
    *others, last = names
    return next((name for name in others if is_free(name)), None) or require_free(last)


def _is_session(path: Path) -> bool:
    """Tell whether a directory holds a session, be it a damaged one."""
    return any(os.path.lexists(file) for file in (file_names.database_path(path), file_names.journal_path(path)))


def _last_used_time(path: Path) -> float:
    """Give the moment of the last writing; a session may be deleted while it is looked at."""
    with suppress(OSError):  # it may be gone by now, or a link that leads in a circle
        return file_names.database_path(path).stat().st_mtime
    return 0.0

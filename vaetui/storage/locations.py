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

from vaetui.errors import Trouble
from vaetui.storage import atomic_files, file_names
from vaetui.storage.atomic_files import explained

UNFINISHED = ".unfinished"
"""The ending of a directory that is no session yet, or none any more; a dot stands before its name."""
PATIENCE = 20.0
"""Seconds to wait for somebody who makes a session, which takes a tenth of one."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Names that are safe in a path, in a shell and on a screen."""


def sessions() -> Path:
    """Give the directory of all sessions: below VAETUI_HOME, else below the platform's place for user data."""
    home = os.environ.get("VAETUI_HOME")
    place = Path(home) if home else Path(platformdirs.user_data_dir("vaetui", appauthor=False))
    return place.absolute() / "sessions"  # whoever leaves its terminal leaves the working directory too


def cache() -> Path:
    """Give the directory of what can be made again: below VAETUI_HOME, else the platform's place for caches."""
    home = os.environ.get("VAETUI_HOME")
    return Path(home) / "cache" if home else Path(platformdirs.user_cache_dir("vaetui", appauthor=False))


@contextmanager
def making(names: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Make the directory of a new session under the first of the names that is free, which it gets when it is whole.

    Gives the name and the directory, which its owner only may read. Raises Trouble where the last name is taken too,
    or a name cannot be one.
    """
    with explained(sessions()), _alone():
        name = _first_vacant(names)
        beginning = sessions() / f".{name}{UNFINISHED}"
        beginning.mkdir(mode=0o700)
        try:
            yield name, beginning
            beginning.rename(sessions() / name)
            atomic_files.sync(sessions())
        except BaseException:
            shutil.rmtree(beginning, ignore_errors=True)
            raise


def free(name: str) -> bool:
    """Tell whether a name is not taken."""
    return not os.path.lexists(sessions() / name)


def vacant(name: str) -> str:
    """Give the name back if a new session can have it, else raise Trouble."""
    if not free(checked(name)):
        raise Trouble(
            f"A session {name} is there already; resume it with: vaetui resume {name}, or choose another name."
        )
    return name


def find(name: str) -> Path:
    """Give the directory of a session.

    Raises Trouble for an unknown name, with near ones.
    """
    path = sessions() / checked(name)
    if not _is_session(path):
        near = difflib.get_close_matches(name, names(), n=3, cutoff=0.5)
        advice = f"did you mean {' or '.join(near)}?" if near else "vaetui sessions lists them."
        raise Trouble(f"There is no session {name}; {advice}")
    return path


def names() -> list[str]:
    """List the sessions, latest used first."""
    found = [path for path in sessions().glob("*") if NAME.fullmatch(path.name) and _is_session(path)]
    return [path.name for path in sorted(found, key=_used, reverse=True)]


def latest() -> str:
    """Name the session that was used last.

    Raises Trouble where there is none.
    """
    known = names()
    if not known:
        raise Trouble("There is no session yet; begin one with: vaetui new.")
    return known[0]


def remove(name: str) -> None:
    """Delete a session with everything in it; from the first moment its name is free."""
    ending = sessions() / f".{name}{UNFINISHED}"
    with explained(ending), _alone():
        path = find(name)
        if path.is_symlink():
            raise Trouble(f"{path} is a link to {path.resolve()}; delete that directory, and the link, yourself.")
        path.rename(ending)
        shutil.rmtree(ending)


def checked(name: str) -> str:
    """Give the name back if it can be one, else raise Trouble: a name never leads out of the sessions' directory."""
    if not NAME.fullmatch(name):
        raise Trouble(
            f"{name!r} cannot name a session; use up to 64 letters, digits, dots, dashes and underscores, "
            "the first a letter or a digit, and no path."
        )
    return name


@contextmanager
def _alone() -> Iterator[None]:
    """Let nobody else make or remove a session for a moment.

    Raises Trouble where somebody does so for long.
    """
    sessions().mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with FileLock(sessions().parent / "making.lock", timeout=PATIENCE, mode=0o600):
            for left in sessions().glob(f".*{UNFINISHED}"):  # by a kill
                shutil.rmtree(left, ignore_errors=True)
            yield
    except Timeout as error:
        raise Trouble("Another process has begun to make a session and does not go on; end it first.") from error


def _first_vacant(names: Iterable[str]) -> str:
    *others, last = names
    return next((name for name in others if free(name)), None) or vacant(last)


def _is_session(path: Path) -> bool:
    """Tell whether a directory holds a session, be it a damaged one."""
    return any(os.path.lexists(file) for file in (file_names.facts(path), file_names.ledger(path)))


def _used(path: Path) -> float:
    """Give the moment of the last writing; a session may be deleted while it is looked at."""
    with suppress(OSError):  # it may be gone by now, or a link that leads in a circle
        return file_names.facts(path).stat().st_mtime
    return 0.0

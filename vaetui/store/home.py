"""Where sessions live and what they are called; it does not know what is in them."""

from __future__ import annotations

import difflib
import os
import re
import shutil
from pathlib import Path

import platformdirs

from vaetui.store.files import explained
from vaetui.trouble import Trouble

FACTS = "facts.db"
"""The file that makes a directory a session."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Names that are safe in a path, in a shell and on a screen."""


def sessions() -> Path:
    """Give the directory of all sessions: below VAETUI_HOME, else below the platform's place for user data."""
    home = os.environ.get("VAETUI_HOME")
    return (Path(home) if home else Path(platformdirs.user_data_dir("vaetui", appauthor=False))) / "sessions"


def make(name: str) -> Path:
    """Make the directory of a new session, readable by its owner only.

    Raises Trouble for a name that is taken or cannot be one.
    """
    path = sessions() / checked(name)
    with explained(path):
        sessions().mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            path.mkdir(mode=0o700)
        except FileExistsError as error:
            raise Trouble(
                f"A session {name} is there already; resume it with: vaetui resume {name}, or choose another name."
            ) from error
    return path


def find(name: str) -> Path:
    """Give the directory of a session.

    Raises Trouble for an unknown name, with near ones.
    """
    path = sessions() / checked(name)
    if not (path / FACTS).is_file():
        near = difflib.get_close_matches(name, names(), n=3, cutoff=0.5)
        advice = f"did you mean {' or '.join(near)}?" if near else "vaetui sessions lists them."
        raise Trouble(f"There is no session {name}; {advice}")
    return path


def names() -> list[str]:
    """List the sessions, latest used first."""
    found = [path for path in sessions().glob("*") if (path / FACTS).is_file()]
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
    """Delete a session with everything in it."""
    path = find(name)
    with explained(path):
        shutil.rmtree(path)


def checked(name: str) -> str:
    """Give the name back if it can be one, else raise Trouble: a name never leads out of the sessions' directory."""
    if not NAME.fullmatch(name):
        raise Trouble(
            f"{name!r} cannot name a session; use up to 64 letters, digits, dots, dashes and underscores, "
            "the first a letter or a digit, and no path."
        )
    return name


def _used(path: Path) -> float:
    return max((path / file).stat().st_mtime for file in (FACTS, "tensors.safetensors") if (path / file).exists())

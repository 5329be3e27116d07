"""What another process does to a session, seen from outside; it changes nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.command_line import run_vaetui
from vaetui.storage import file_names, locations, lock


def wait_until(condition: Callable[[], object], timeout_s: float = 60) -> None:
    """Look again and again until that is so; the test fails after so many seconds."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)


def load_status(name: str) -> dict[str, Any]:
    """Give what `vaetui show` tells of a session."""
    return dict(json.loads(run_vaetui("show", name, "--json").stdout))


def holder_pid(name: str) -> int:
    """Give the number of the process that holds a session."""
    held = lock.read_holder(locations.find_session(name))
    assert held is not None, f"nobody holds {name}"
    return held.process_id


def is_unlocked(name: str) -> bool:
    """Tell whether nobody holds a session."""
    return lock.read_holder(locations.find_session(name)) is None


def has_exited(process: int) -> bool:
    """Tell whether a process has ended, be it that nobody has asked for its status yet."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def read_log(name: str) -> str:
    """Give the log of a session."""
    return file_names.log_path(locations.find_session(name)).read_text()

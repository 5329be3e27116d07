"""Observe a session that another process uses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.command_line import run_vaetui
from vaetui.storage import file_names, locations, lock


def wait_until(condition: Callable[[], object], timeout_s: float = 120) -> None:
    """Poll a condition until it holds. Fails the test after the time-out."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"condition not met within {timeout_s} s"
        time.sleep(0.02)


def load_status(name: str) -> dict[str, Any]:
    """Return the output of `vaetui show NAME --json`."""
    return dict(json.loads(run_vaetui("show", name, "--json").stdout))


def holder_pid(name: str) -> int:
    """Return the id of the process that holds the lock of a session."""
    holder = lock.read_holder(locations.find_session(name))
    assert holder is not None, f"no process holds {name}"
    return holder.process_id


def is_unlocked(name: str) -> bool:
    """Return whether no process holds the lock of a session."""
    return lock.read_holder(locations.find_session(name)) is None


def has_exited(process_id: int) -> bool:
    """Return whether a process has ended, including one whose parent has not read its status yet."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def read_log(name: str) -> str:
    """Return the log of a session."""
    return file_names.log_path(locations.find_session(name)).read_text()

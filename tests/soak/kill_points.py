"""Choose the moments at which processes are killed, from a seed."""

from __future__ import annotations

import math
import os
import random
from dataclasses import dataclass
from pathlib import Path

from vaetui.storage.atomic_files import PARTIAL_SUFFIX

LINES = (
    *("loading the networks", "encoding the held-out images", "epoch ", "encoding the training images"),
    *("Round ", "Saved: ", "Undid: ", "Redid: ", "g: continue training"),
)
"""Printed lines after which a process is killed; contained in a line of the dialogue."""
COMMANDS = ("class", "split", "unreadable", "undo", "redo", "go")
"""Typed commands after which a process is killed."""
FILE_SUFFIXES = (PARTIAL_SUFFIX, "-journal")
"""Suffixes of files that exist only while something is being written."""


@dataclass(frozen=True, slots=True)
class KillPoint:
    """When a process is killed: some seconds after its start, or after a trigger."""

    seconds: float = math.inf
    """Seconds after the start or the trigger."""
    line: str = ""
    """Trigger: part of a printed line."""
    command: str = ""
    """Trigger: the name of a typed command."""
    file_suffix: str = ""
    """Trigger: a file with this suffix exists."""
    occurrence: int = 1
    """The number of times that such a file must appear."""

    @property
    def trigger(self) -> str:
        """Return the name of the trigger for a table."""
        triggers = {"line": self.line.strip(), "command": self.command, "file": self.file_suffix}
        return next((f"{kind} {value}" for kind, value in triggers.items() if value), "time")


NEVER = KillPoint()


class FileWatcher:
    """Polls a directory for a file that appears and disappears."""

    def __init__(self, directory: Path, kill_point: KillPoint) -> None:
        """Watch for the file suffix of the kill point."""
        self._directory = directory
        self._kill_point = kill_point
        self._exists = False
        self._appearances = 0

    def poll(self) -> bool:
        """Return whether the file exists for the required time."""
        existed, self._exists = self._exists, self._check_exists()
        self._appearances += self._exists and not existed
        return self._exists and self._appearances >= self._kill_point.occurrence

    def _check_exists(self) -> bool:
        try:
            return any(name.endswith(self._kill_point.file_suffix) for name in os.listdir(self._directory))
        except FileNotFoundError:
            return False


def choose_time(rng: random.Random, duration_s: float) -> KillPoint:
    """Return a moment within the given seconds after the start."""
    return KillPoint(rng.uniform(0, duration_s))


def choose_kill_point(rng: random.Random, duration_s: float) -> KillPoint:
    """Return any time, some milliseconds after a line or a command, or a moment while a file is being written."""
    kind = rng.choice(("time", "time", "line", "command", "file"))
    if kind == "line":
        return KillPoint(rng.uniform(0, 0.05), line=rng.choice(LINES))
    if kind == "command":
        return KillPoint(rng.uniform(0, 0.01), command=rng.choice(COMMANDS))
    if kind == "file":
        return KillPoint(0.0, file_suffix=rng.choice(FILE_SUFFIXES), occurrence=rng.randint(1, 12))
    return choose_time(rng, duration_s)

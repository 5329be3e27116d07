"""When a process is killed, drawn from a seed; it kills nothing."""

from __future__ import annotations

import math
import os
import random
from dataclasses import dataclass
from pathlib import Path

from vaetui.storage.atomic_files import PARTIAL_SUFFIX

LINES = (
    *("loading the networks", "reading the test images", "epoch ", "reading the training images", "cutting into"),
    *("round ", "saved: centre", "saved: ", "undo: ", "redo: ", "g goes on training"),
)
"""Lines of the dialogue that a kill may follow."""
TYPED = ("label", "split", "unreadable", "undo", "redo", "go")
"""Lines of a person that a kill may follow."""
FILES = (PARTIAL_SUFFIX, "-journal")
"""Endings of files that are only there while something is being written."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a process is killed: so many seconds after it began, or after what it hangs on."""

    seconds: float = math.inf
    told: str = ""
    """Part of a line of the dialogue."""
    typed: str = ""
    """The name of what a person types."""
    file: str = ""
    """The ending of a file's name."""
    times: int = 1
    """How often such a file is seen."""

    @property
    def hangs_on(self) -> str:
        """Name it for a table."""
        words = {"told": self.told.strip(), "typed": self.typed, "file": self.file}
        return next((f"{kind} {what}" for kind, what in words.items() if what), "time")


NEVER = Moment()


class Watch:
    """Looks for a file that comes and goes."""

    def __init__(self, directory: Path, moment: Moment) -> None:
        self._directory = directory
        self._moment = moment
        self._there = False
        self._seen = 0

    def over(self) -> bool:
        """Tell whether the file is there for the last time that is waited for."""
        before, self._there = self._there, self._look()
        self._seen += self._there and not before
        return self._there and self._seen >= self._moment.times

    def _look(self) -> bool:
        try:
            return any(name.endswith(self._moment.file) for name in os.listdir(self._directory))
        except FileNotFoundError:
            return False


def any_time(draw: random.Random, life: float) -> Moment:
    """Draw a moment from a whole life, the start included."""
    return Moment(draw.uniform(0, life))


def drawn(draw: random.Random, life: float) -> Moment:
    """Draw any time, or some milliseconds after a line, or the midst of writing a file."""
    kind = draw.choice(("time", "time", "told", "typed", "file"))
    if kind == "told":
        return Moment(draw.uniform(0, 0.05), told=draw.choice(LINES))
    if kind == "typed":
        return Moment(draw.uniform(0, 0.01), typed=draw.choice(TYPED))
    if kind == "file":
        return Moment(0.0, file=draw.choice(FILES), times=draw.randint(1, 12))
    return any_time(draw, life)

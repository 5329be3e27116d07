"""The present progress of the process that trains a session, in a small file for those that watch it.

Losses are recorded in the database with every checkpoint. This file is newer and not synced, as nothing depends on it.
"""

from __future__ import annotations

import functools
import json
import math
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from pathlib import Path
from typing import Protocol, TypeVar

from vaetui.engine.events import BatchesTrained, Event, Loading, Losses, Progress
from vaetui.errors import is_printable_text
from vaetui.storage import atomic_files, file_names

WRITE_INTERVAL_S = 0.5
"""Least seconds between two reports of the same activity: watchers read about as often."""
FILE_BYTES = 1000
"""Fixed length of the file: it is overwritten in place, which needs no room on a full disk."""
MAX_ACTIVITY_CHARS = 200
"""Characters of an activity that are stored."""


class _HasDirectory(Protocol):
    """An object that belongs to a session directory."""

    directory: Path


SessionT = TypeVar("SessionT", bound=_HasDirectory)


def reports_progress(
    method: Callable[[SessionT], Generator[Event, None, None]],
) -> Callable[[SessionT], Generator[Event, None, None]]:
    """Decorate a method that yields events: those about training are also reported in the directory of its session."""

    @functools.wraps(method)
    def wrapper(session: SessionT, /) -> Generator[Event, None, None]:
        with closing(ProgressReport(session.directory)) as report, closing(method(session)) as events:
            for event in events:
                report.add(event)
                yield event

    return wrapper


class ProgressReport:
    """The file of one process that trains; errors of the disk are ignored."""

    def __init__(self, directory: Path) -> None:
        """Write nothing yet."""
        self._path = file_names.live_progress_path(directory)
        self._activity = ""
        self._written_at_s = -math.inf
        self._number = 0

    def add(self, event: Event) -> None:
        """Report an event about training, unless the last report of the same activity is too recent."""
        match event:
            case BatchesTrained():
                activity = "training"
                values: list[object] = [
                    *(event.epoch, event.step, event.steps_per_epoch, event.losses),
                    *(event.images_per_second, event.seconds),
                ]
            case Loading(component):
                activity = f"loading {component}"
                values = [component[:MAX_ACTIVITY_CHARS]]
            case Progress(activity, completed, total):
                activity = activity[:MAX_ACTIVITY_CHARS]
                values = [activity, completed, total]
            case _:
                return
        now_s = time.monotonic()
        if activity != self._activity or now_s - self._written_at_s >= WRITE_INTERVAL_S:
            self._activity, self._written_at_s = activity, now_s
            with suppress(OSError):
                self._write(values)

    def close(self) -> None:
        """Remove the file."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _write(self, values: list[object]) -> None:
        self._number += 1
        # The number at both ends shows a reader that the file was not overwritten meanwhile.
        content = json.dumps([self._number, values, self._number]).encode().ljust(FILE_BYTES)
        if len(content) == FILE_BYTES:
            with atomic_files.open_for_writing(self._path, 0) as file:
                file.write(content)


def read_progress(directory: Path) -> BatchesTrained | Progress | Loading | None:
    """Return what the process that trains a session did last; None if it has not reported anything.

    A process that was killed leaves its report behind, so the caller checks that there is one. An invalid report, which
    another user may have written, counts as none.
    """
    try:
        with atomic_files.open_for_reading(file_names.live_progress_path(directory)) as file:
            number, values, last_number = json.loads(file.read(FILE_BYTES))
        return _parse_values(values) if number == last_number else None
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def _parse_values(values: list[object]) -> BatchesTrained | Progress | Loading:
    """Return the event of a report; raises ValueError or TypeError for values that no process reports."""
    if len(values) == 1:
        return Loading(_parse_activity(values[0]))
    if len(values) == 3:
        activity, completed, total = values
        return Progress(_parse_activity(activity), _parse_count(completed), _parse_count(total))
    epoch, step, steps_per_epoch, losses, *speeds = values
    if not isinstance(losses, list) or len(losses) != len(Losses._fields):
        raise ValueError("invalid losses")
    images_per_second, seconds = map(_parse_number, speeds)
    return BatchesTrained(
        _parse_count(epoch),
        _parse_count(step),
        _parse_count(steps_per_epoch),
        Losses(*map(_parse_number, losses)),
        images_per_second,
        seconds,
    )


def _parse_activity(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_ACTIVITY_CHARS:
        raise ValueError("not an activity")
    return "".join(filter(is_printable_text, value))


def _parse_count(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise ValueError("not a count")
    return value


def _parse_number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a number")
    return float(value)

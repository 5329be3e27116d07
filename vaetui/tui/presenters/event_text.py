"""Events of a session as lines of text, for the plain front end and for logs."""

from __future__ import annotations

from time import monotonic

from vaetui.engine.answers import format_path
from vaetui.engine.events import BatchesTrained, Clustered, ClusterSplit, EpochEnded, Event, Loading, Notice, Progress

PROGRESS_INTERVAL_S = 10.0
"""Minimum time between two lines about the progress of an epoch."""


class EventFormatter:
    """Formats the events of a run and drops those that would only repeat the last line."""

    def __init__(self, epoch_count: int, round_count: int) -> None:
        """Format the events of a run of `epochs` and `rounds`."""
        self._epoch_count = epoch_count
        self._round_count = round_count
        self._last_activity = ""
        self._last_progress_s = monotonic()

    def format_event(self, event: Event) -> str | None:
        """Return a line for the event, or None if it is dropped."""
        line: str | None = None
        match event:
            case Loading(component):
                line = f"loading {component}"
            case Notice(message):
                line = message
            case Progress(activity) if activity != self._last_activity:
                line = self._last_activity = activity
            case BatchesTrained() if monotonic() - self._last_progress_s >= PROGRESS_INTERVAL_S:
                self._last_progress_s = monotonic()
                share = event.step / event.steps_per_epoch
                line = (
                    f"epoch {event.epoch} of {self._epoch_count}: {share:.0%}, {event.images_per_second:,.0f} images/s"
                )
            case EpochEnded():
                accuracy = "" if event.test_accuracy is None else f"test accuracy {event.test_accuracy:.1%}, "
                line = f"epoch {event.epoch} of {self._epoch_count} ended: {accuracy}covered {event.label_coverage:.0%}"
            case Clustered(round_number, clusters):
                line = f"round {round_number} of {self._round_count}: {clusters} clusters"
            case ClusterSplit(path, parts):
                line = f"Saved: cluster {format_path(path)} split into {parts} parts"
        return line

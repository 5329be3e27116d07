"""Events of a session as lines of text, for the plain front end and for logs."""

from __future__ import annotations

from vaetui.engine.answers import format_path
from vaetui.engine.events import BatchesTrained, Clustered, ClusterSplit, EpochEnded, Event, Loading, Notice, Progress
from vaetui.errors import format_count

LINES_PER_EPOCH = 10
"""Most lines about the progress of an epoch: each begins a new tenth."""


class EventFormatter:
    """Formats the events of a run and drops those that would only repeat the last line."""

    def __init__(self, epoch_count: int, round_count: int) -> None:
        """Format the events of a run with so many epochs and rounds."""
        self._epoch_count = epoch_count
        self._round_count = round_count
        self._last_activity = ""
        self._last_tenth = (0, 0)

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
            case BatchesTrained():
                line = self._format_batches(event)
            case EpochEnded():
                accuracy = "" if event.test_accuracy is None else f": test accuracy {100 * event.test_accuracy:.1f} %"
                line = f"epoch {event.epoch} of {self._epoch_count} ended{accuracy}"
            case Clustered(round_number, clusters):
                line = f"round {round_number} of {self._round_count}: {format_count(clusters, 'cluster')}"
            case ClusterSplit(path, parts):
                line = f"Saved: cluster {format_path(path)} split into {format_count(parts, 'part')}"
        return line

    def _format_batches(self, event: BatchesTrained) -> str | None:
        """Return a line for the first event in each tenth of an epoch but the first; the end has a line of its own."""
        tenth = LINES_PER_EPOCH * event.step // event.steps_per_epoch
        if not 0 < tenth < LINES_PER_EPOCH or (event.epoch, tenth) <= self._last_tenth:
            return None
        self._last_tenth = event.epoch, tenth
        share = 100 * event.step / event.steps_per_epoch
        return f"epoch {event.epoch} of {self._epoch_count}: {share:.0f} %, {event.images_per_second:,.0f} images/s"

"""What slow verbs report, as a few lines of text; it does not know where they are written."""

from __future__ import annotations

from time import monotonic

from vaetui.engine.answers import format_path
from vaetui.engine.events import BatchesTrained, Clustered, ClusterSplit, EpochEnded, Event, Loading, Notice, Progress

PROGRESS_INTERVAL_S = 10.0
"""Seconds between two lines of progress."""


class EventFormatter:
    """Chooses what of a stream of events is told: what begins, what ends, and now and then how far it is."""

    def __init__(self, epochs: int, rounds: int) -> None:
        """Tell of a run of so many epochs and rounds."""
        self._epochs = epochs
        self._rounds = rounds
        self._last_activity = ""
        self._last_progress_s = monotonic()

    def format_event(self, event: Event) -> str | None:
        """Give the line that tells an event, None for one that is passed over."""
        told: str | None = None
        match event:
            case Loading(what):
                told = f"loading {what}"
            case Notice(what):
                told = what
            case Progress(what) if what != self._last_activity:
                told = self._last_activity = what
            case BatchesTrained(epoch, step, steps, _, rate) if (
                monotonic() - self._last_progress_s >= PROGRESS_INTERVAL_S
            ):
                self._last_progress_s = monotonic()
                told = f"epoch {epoch} of {self._epochs}: {step / steps:.0%}, {rate:,.0f} images a second"
            case EpochEnded(epoch):
                tested = "" if event.test_accuracy is None else f"test accuracy {event.test_accuracy:.1%}, "
                told = f"epoch {epoch} of {self._epochs} ended: {tested}covered {event.label_coverage:.0%}"
            case Clustered(number, clusters):
                told = f"round {number} of {self._rounds}: {clusters} centres"
            case ClusterSplit(path, parts):
                told = f"saved: centre {format_path(path)} is split into {parts}"
        return told

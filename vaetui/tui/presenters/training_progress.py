"""The progress of training and of other activities, as text for the header."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

from vaetui.engine.events import BatchesTrained
from vaetui.tui.presenters.number_format import format_bar, format_duration, get_spinner_frame
from vaetui.tui.presenters.screen_size import WIDE_COLUMNS


class ThroughputMeter:
    """The training throughput, smoothed over the last events."""

    def __init__(self) -> None:
        """Start without a measurement."""
        self.images_per_s = 0.0
        """Smoothed images per second; 0 before the first event."""
        self.last_event: BatchesTrained | None = None
        """The last event that was measured."""

    def update(self, event: BatchesTrained | None) -> bool:
        """Add an event, and return whether it is a new one."""
        if event is None or event is self.last_event:
            return False
        self.last_event = event
        # At five updates a second the average follows within about a second and shows steady figures.
        self.images_per_s = (
            event.images_per_second
            if not self.images_per_s
            else 0.8 * self.images_per_s + 0.2 * event.images_per_second
        )
        return True


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity other than training, such as loading or clustering."""

    description: str
    """A few words, such as "encoding"."""
    share: float | None = None
    """The completed share, from 0 to 1, if it is measured."""


def format_epoch(epoch: int, epochs: int) -> str:
    """Return the number of the epoch in a fixed width."""
    return f"epoch {epoch:>{len(str(epochs))}} of {epochs}"


def format_training_progress(
    event: BatchesTrained, epochs: int, batch_size: int, images_per_s: float, width: int
) -> Text:
    """Return the progress and the remaining time of the epoch, and on wide screens also of the run."""
    share = event.step / max(event.steps_per_epoch, 1)
    epoch_seconds = (event.steps_per_epoch - event.step) * batch_size / images_per_s if images_per_s else None
    line = Text.assemble(
        format_epoch(event.epoch, epochs),
        "  ",
        format_bar(share, 20),
        f" {100 * share:3.0f} %",
        format_duration(epoch_seconds),
    )
    if width >= WIDE_COLUMNS:
        run_share = (event.epoch - 1 + share) / max(epochs, 1)
        run_seconds = (
            None
            if epoch_seconds is None
            else epoch_seconds + (epochs - event.epoch) * event.steps_per_epoch * batch_size / images_per_s
        )
        line.append_text(
            Text.assemble(
                "   run  ", format_bar(run_share, 20), f" {100 * run_share:3.0f} %", format_duration(run_seconds)
            )
        )
    return line


def format_activity(activity: Activity, epoch: int, epochs: int, tick: int) -> Text:
    """Return the activity with a spinner, and with a bar if its share is measured."""
    line = Text.assemble(
        format_epoch(epoch, epochs), "  ", (get_spinner_frame(tick), "bold"), f" {activity.description} …"
    )
    if activity.share is not None:
        line.append_text(Text.assemble("  ", format_bar(activity.share, 12), f" {100 * activity.share:3.0f} %"))
    return line

"""How far training is, as the text of a header; it does not know where the figures come from."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

from vaetui.engine.events import BatchesTrained
from vaetui.tui.presenters.number_format import format_bar, format_duration, get_spinner_frame
from vaetui.tui.presenters.screen_size import WIDE_COLUMNS


class ThroughputMeter:
    """The images a second, smoothed over the last reports."""

    def __init__(self) -> None:
        """Begin without a report."""
        self.images_per_s = 0.0
        """Images a second; 0 until known."""
        self.last_event: BatchesTrained | None = None
        """The report looked at last."""

    def update(self, event: BatchesTrained | None) -> bool:
        """Take a report into account and tell whether it is a new one."""
        if event is None or event is self.last_event:
            return False
        self.last_event = event
        # Half a second of smoothing at five looks a second: steady figures that still follow.
        self.images_per_s = (
            event.images_per_second
            if not self.images_per_s
            else 0.8 * self.images_per_s + 0.2 * event.images_per_second
        )
        return True


@dataclass(frozen=True, slots=True)
class Activity:
    """Something other than training that goes on."""

    description: str
    """A few words for a person."""
    share: float | None = None
    """How much of it is done, where known."""


def format_epoch(epoch: int, epochs: int) -> str:
    """Say which epoch of the run it is, in a fixed width."""
    return f"epoch {epoch:>{len(str(epochs))}} of {epochs}"


def format_training_progress(
    event: BatchesTrained, epochs: int, batch_size: int, images_per_s: float, width: int
) -> Text:
    """Say how far the epoch is, and on a wide screen how far the run is, with the time that is left."""
    share = event.step / max(event.steps_per_epoch, 1)
    left = (event.steps_per_epoch - event.step) * batch_size / images_per_s if images_per_s else None
    line = Text.assemble(
        format_epoch(event.epoch, epochs),
        "  ",
        format_bar(share, 20),
        f" {100 * share:3.0f} %",
        format_duration(left),
    )
    if width >= WIDE_COLUMNS:
        run = (event.epoch - 1 + share) / max(epochs, 1)
        rest = (
            None if left is None else left + (epochs - event.epoch) * event.steps_per_epoch * batch_size / images_per_s
        )
        line.append_text(Text.assemble("   run  ", format_bar(run, 20), f" {100 * run:3.0f} %", format_duration(rest)))
    return line


def format_activity(activity: Activity, epoch: int, epochs: int, tick: int) -> Text:
    """Say what goes on before, between and after training, with something that moves."""
    line = Text.assemble(
        format_epoch(epoch, epochs), "  ", (get_spinner_frame(tick), "bold"), f" {activity.description} …"
    )
    if activity.share is not None:
        line.append_text(Text.assemble("  ", format_bar(activity.share, 12), f" {100 * activity.share:3.0f} %"))
    return line

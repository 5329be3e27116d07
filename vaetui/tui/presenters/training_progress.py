"""The progress of training and of other activities, as text for the header."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

from vaetui.engine.config import (
    TrainingConfig,
    count_epochs,
    count_steps_before_epoch,
    count_validation_images,
)
from vaetui.engine.events import BatchesTrained
from vaetui.tui.presenters.number_format import format_duration, format_progress_bar
from vaetui.tui.presenters.size_breakpoints import WIDE_COLUMNS

SPINNER_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
"""The frames of the activity indicator."""


BAR_CELLS = ((140, 20), (WIDE_COLUMNS, 12), (80, 20), (0, 8))
"""Cells of a progress bar by the columns of the terminal, each from the given number on; from `WIDE_COLUMNS` on there
are two bars."""


class ThroughputMeter:
    """The training throughput, smoothed over the last events."""

    def __init__(self) -> None:
        """Start without a measurement."""
        self.images_per_s = 0.0
        """Smoothed images per second; 0 before the first event."""
        self.last_event: BatchesTrained | None = None
        """The last event that was measured."""

    def add_event(self, event: BatchesTrained | None) -> bool:
        """Add an event, and return whether it is a new one."""
        if event is None or event is self.last_event:
            return False
        self.last_event = event
        # At five updates a second the average follows within about a second and shows steady figures.
        speed = event.images_per_second
        self.images_per_s = 0.8 * self.images_per_s + 0.2 * speed if self.images_per_s else speed
        return True


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity other than training, such as loading or clustering."""

    description: str
    """A few words, such as "encoding"."""
    share: float | None = None
    """The completed share, from 0 to 1, if it is measured."""


def format_epoch_number(epoch: int, epoch_count: int) -> str:
    """Return the number of the epoch in a fixed width."""
    return f"epoch {epoch:>{len(str(epoch_count))}} of {epoch_count}"


def format_training_progress(
    event: BatchesTrained, config: TrainingConfig, image_count: int, images_per_s: float, width: int
) -> Text:
    """Return the progress and the remaining time of the epoch, and on wide screens also of the run.

    `image_count` are the images of the session, of which some are held out.
    """
    epoch_count, batch_size = count_epochs(config), config.batch_size
    share = event.step / max(event.steps_per_epoch, 1)
    epoch_seconds = (event.steps_per_epoch - event.step) * batch_size / images_per_s if images_per_s else None
    bar_cells = next(cells for columns, cells in BAR_CELLS if width >= columns)
    epoch = format_epoch_number(event.epoch, epoch_count)
    line = Text.assemble(epoch, "  ", format_progress_bar(share, bar_cells), format_duration(epoch_seconds), " left")
    if width >= WIDE_COLUMNS:
        train_count = image_count - count_validation_images(config, image_count)
        total = count_steps_before_epoch(config, train_count, epoch_count + 1)
        completed = min(count_steps_before_epoch(config, train_count, event.epoch) + event.step, total)
        run_share = completed / max(total, 1)
        run_seconds = (total - completed) * batch_size / images_per_s if images_per_s else None
        line = Text.assemble(
            line, "   run  ", format_progress_bar(run_share, bar_cells), format_duration(run_seconds), " left"
        )
    return line


def format_activity(activity: Activity, epoch: int, epoch_count: int, tick: int) -> Text:
    """Return the activity with a spinner, and with a bar if its share is measured."""
    spinner = SPINNER_FRAMES[tick % len(SPINNER_FRAMES)]
    line = Text.assemble(format_epoch_number(epoch, epoch_count), "  ", (spinner, "bold"), f" {activity.description} …")
    if activity.share is not None:
        line.append("  ").append_text(format_progress_bar(activity.share, 12))
    return line

"""Losses and finished epochs of a run, for the curves."""

from __future__ import annotations

from dataclasses import replace

from vaetui.engine.config import Config, count_steps_per_epoch, count_validation_images
from vaetui.engine.events import BatchesTrained
from vaetui.session.views import TrainingCurves
from vaetui.storage.repository import SessionRepository


class MetricHistory:
    """Losses by global step and finished epochs; one thread may add while another reads."""

    def __init__(self, repository: SessionRepository, config: Config) -> None:
        """Load the recorded metrics."""
        count = repository.shape[0]
        self._steps_per_epoch = count_steps_per_epoch(
            config.training, count - count_validation_images(config.training, count)
        )
        self.finished_epochs = repository.list_epochs()
        """The finished epochs, in order."""
        self._repository = repository
        self.reload_losses()

    def reload_losses(self) -> None:
        """Replace the losses by the recorded ones."""
        rows = self._repository.list_losses()
        self._loss_points = [(self._global_step(epoch, step), losses) for epoch, step, losses, _ in rows]

    def add_losses(self, event: BatchesTrained) -> None:
        """Append the losses of a training event."""
        self._loss_points.append((self._global_step(event.epoch, event.step), event.losses))

    def set_reading_accuracy(self, epoch: int, accuracy: float | None) -> None:
        """Set the reading accuracy of a finished epoch."""
        self.finished_epochs[epoch - 1] = replace(self.finished_epochs[epoch - 1], reading_accuracy=accuracy)

    def training_curves(self) -> TrainingCurves:
        """Return an immutable copy."""
        return TrainingCurves(tuple(self._loss_points), tuple(self.finished_epochs))

    def _global_step(self, epoch: int, step: int) -> int:
        return (epoch - 1) * self._steps_per_epoch + step

"""What was measured on the way so far, for the curves; it does not know what measures."""

from __future__ import annotations

from dataclasses import replace

from vaetui.engine.config import Config, count_steps, count_validation_images
from vaetui.engine.events import BatchesTrained, EpochEnded
from vaetui.session.views import TrainingCurves
from vaetui.storage.repository import SessionRepository


class MetricHistory:
    """The losses by step over the whole run, and the finished epochs; one thread adds while another looks."""

    def __init__(self, repository: SessionRepository, config: Config) -> None:
        """Begin with what is recorded."""
        count, *_ = repository.shape
        self._steps_per_epoch = count_steps(config.training, count - count_validation_images(config.training, count))
        self.finished_epochs = repository.list_epochs()
        """The finished epochs, in order."""
        self._repository = repository
        self.reload_losses()

    def reload_losses(self) -> None:
        """Take the losses from what is recorded, and no others."""
        self._loss_points = [
            (self._global_step(epoch, step), losses) for epoch, step, losses, _ in self._repository.list_losses()
        ]

    def add_losses(self, event: BatchesTrained) -> None:
        """Add a report of training."""
        self._loss_points.append((self._global_step(event.epoch, event.step), event.losses))

    def add_epoch(self, event: EpochEnded) -> None:
        """Add a finished epoch."""
        self.finished_epochs.append(event)

    def set_reading_accuracy(self, epoch: int, accuracy: float | None) -> None:
        """Set how well the reconstructions of a finished epoch were read."""
        self.finished_epochs[epoch - 1] = replace(self.finished_epochs[epoch - 1], reading_accuracy=accuracy)

    def training_curves(self) -> TrainingCurves:
        """Show it."""
        return TrainingCurves(tuple(self._loss_points), tuple(self.finished_epochs))

    def _global_step(self, epoch: int, step: int) -> int:
        return (epoch - 1) * self._steps_per_epoch + step

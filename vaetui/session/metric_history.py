"""Losses, finished epochs and estimates of a run, for the curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from vaetui.engine.config import Config, count_steps_before_epoch, count_validation_images
from vaetui.engine.events import BatchesTrained, EpochEnded
from vaetui.session.learned_classes import find_trained_class_ids, find_unanswered_class_ids
from vaetui.session.views import Disagreement, TrainingCurves
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.repository import SessionRepository


class MetricHistory:
    """Losses by global step and finished epochs; one thread may add while another reads."""

    def __init__(self, repository: SessionRepository, config: Config) -> None:
        """Load the recorded metrics."""
        count, self._config = repository.shape[0], config
        self._train_count = count - count_validation_images(config.training, count)
        self.finished_epochs = repository.list_epochs()
        """The finished epochs, in order, as they are recorded."""
        self._repository = repository
        self._shown_epochs: tuple[EpochEnded, ...] = ()
        self._unanswered_class_ids: tuple[int, ...] = ()
        self._disagreement: tuple[object, Disagreement | None] = None, None
        self.reload_losses()
        self.refresh_estimates()

    @property
    def has_test_accuracy(self) -> bool:
        """Whether any epoch was rated by test images with true labels."""
        return any(event.test_accuracy is not None for event in self.finished_epochs)

    def reload_losses(self) -> None:
        """Replace the losses by the recorded ones."""
        rows = self._repository.list_losses()
        self._loss_points = [(self._global_step(epoch, step), losses) for epoch, step, losses, _ in rows]

    def add_losses(self, event: BatchesTrained) -> None:
        """Append the losses of a training event."""
        self._loss_points.append((self._global_step(event.epoch, event.step), event.losses))

    def add_epoch(self, event: EpochEnded) -> None:
        """Append a finished epoch."""
        self.finished_epochs.append(event)
        self.refresh_estimates()

    def refresh_estimates(self) -> None:
        """Find the classes without an answer, and drop the estimates of epochs that had not learned every class."""
        self._unanswered_class_ids = find_unanswered_class_ids(self._repository)
        self._shown_epochs = tuple(drop_unreliable_estimates(self._config, self._repository, self.finished_epochs))

    def refresh_disagreement(self, store: ArtifactStore) -> None:
        """Measure the disagreement of classifier and graph, if an epoch has ended or classes were merged since then."""
        from vaetui.session.graph_disagreement import measure_disagreement  # imports NumPy

        key = len(self.finished_epochs), self._repository.load_class_list().canonical
        if self._disagreement[0] != key:
            self._disagreement = key, measure_disagreement(store, self._repository, len(self.finished_epochs))

    def set_reading_accuracy(self, epoch: int, accuracy: float | None) -> None:
        """Set the reading accuracy of a finished epoch."""
        self.finished_epochs[epoch - 1] = replace(self.finished_epochs[epoch - 1], reading_accuracy=accuracy)
        self.refresh_estimates()

    def training_curves(self) -> TrainingCurves:
        """Return an immutable copy."""
        return TrainingCurves(
            tuple(self._loss_points), self._shown_epochs, self._unanswered_class_ids, self._disagreement[1]
        )

    def _global_step(self, epoch: int, step: int) -> int:
        return count_steps_before_epoch(self._config.training, self._train_count, epoch) + step


def drop_unreliable_estimates(
    config: Config, repository: SessionRepository, epochs: Sequence[EpochEnded]
) -> Iterator[EpochEnded]:
    """Yield the epochs, without confidence and expectation of those whose networks had not learned every active class.

    The networks are certain of wrong classes for the images of a class that they have not learned.
    """
    active_ids = set(repository.load_class_list().active_ids)
    for event in epochs:
        has_estimate = event.mean_confidence is not None or event.expected_accuracy is not None
        if has_estimate and not active_ids <= set(find_trained_class_ids(config, repository, event.epoch)):
            event = replace(event, mean_confidence=None, expected_accuracy=None)
        yield event

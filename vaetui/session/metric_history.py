"""What was measured on the way so far, for the curves; it does not know what measures."""

from __future__ import annotations

from dataclasses import replace

from vaetui.engine.config import Config, held_out, steps
from vaetui.engine.events import EpochEnded, Stepped
from vaetui.session.views import Curves
from vaetui.storage.repository import Facts


class Course:
    """The losses by step over the whole run, and the finished epochs; one thread adds while another looks."""

    def __init__(self, facts: Facts, config: Config) -> None:
        """Begin with what is recorded."""
        count, *_ = facts.shape
        self._steps = steps(config.training, count - held_out(config.training, count))
        self.epochs = facts.epochs()
        """The finished epochs, in order."""
        self._facts = facts
        self.recall()

    def recall(self) -> None:
        """Take the losses from what is recorded, and no others."""
        self._points = [(self._place(epoch, step), losses) for epoch, step, losses, _ in self._facts.figures()]

    def hear(self, stepped: Stepped) -> None:
        """Add a report of training."""
        self._points.append((self._place(stepped.epoch, stepped.step), stepped.losses))

    def end(self, epoch: EpochEnded) -> None:
        """Add a finished epoch."""
        self.epochs.append(epoch)

    def judge(self, epoch: int, accuracy: float | None) -> None:
        """Set how well the reconstructions of a finished epoch were read."""
        self.epochs[epoch - 1] = replace(self.epochs[epoch - 1], reading_accuracy=accuracy)

    def curves(self) -> Curves:
        """Show it."""
        return Curves(tuple(self._points), tuple(self.epochs))

    def _place(self, epoch: int, step: int) -> int:
        return (epoch - 1) * self._steps + step

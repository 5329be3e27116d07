"""A session that trains without end until it is told to stop; it knows no screen."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import numpy as np

from tests.tui.drawn import digit
from tests.tui.scripted import ScriptedSession, epoch_ended
from vaetui.engine.events import BatchesTrained, EpochEnded, Event, Losses, Reconstructed


class PacedSession(ScriptedSession):
    """Yields what it is given, and then steps of one epoch for ever, a few milliseconds apart."""

    def __init__(self, given: Sequence[Event] = ()) -> None:
        """Stand in the first epoch."""
        super().__init__("training")
        self._given = given

    def advance(self) -> Iterator[Event]:
        """Train until closed."""
        self.calls.append("advance")
        pace = threading.Event()
        step = 0
        try:
            for event in self._given:
                if isinstance(event, EpochEnded):
                    self.ended.append(event)
                if isinstance(event, BatchesTrained):
                    self.points.append(((event.epoch - 1) * event.steps_per_epoch + event.step, event.losses))
                yield event
            while True:
                step = min(step + 1, 900)
                yield BatchesTrained(1 + len(self.ended), step, 900, Losses(200.0, 5.0, 0.4), 2_870.0, 0.01)
                pace.wait(0.002)
        finally:
            self.stopped += 1


def losses(step: int) -> Losses:
    """Give losses that fall, rise and fall as those of a real run do."""
    return Losses(98 + 445 / (1 + step / 12), 11 * (1 - 2 ** (-step / 400)) + 0.5, 0.05 + 1.5 / (1 + step / 300))


def two_epochs(test: bool = True) -> list[Event]:
    """Give the script of a run that stands in the middle of its third epoch."""
    pictures = np.stack([digit(label) for label in range(8)])
    script: list[Event] = []
    for epoch in (1, 2, 3):
        for step in range(100, 901 if epoch < 3 else 501, 100):
            script.append(BatchesTrained(epoch, step, 900, losses((epoch - 1) * 900 + step), 2_870.0, 2.2))
        if epoch < 3:
            script += [Reconstructed(pictures, pictures // 2, 3 * epoch), ended(epoch, test)]
    return script


def ended(epoch: int, test: bool) -> EpochEnded:
    """Give an epoch's end, with or without an accuracy on test images."""
    one = epoch_ended(epoch, 16 * (epoch - 1))
    share = one.test_accuracy if test else None
    covered = 0.0 if epoch == 1 else 0.88
    return EpochEnded(epoch, losses(900 * epoch), share, one.pixel_accuracy, covered, one.answer_count, 20.0)

"""Where a session stands in its run and what was measured so far; it knows neither images nor networks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from vaetui.engine.classes import Classes
from vaetui.engine.config import Config, total_epochs
from vaetui.errors import Trouble
from vaetui.session import schedule
from vaetui.session.data_source import located
from vaetui.session.metric_history import Course
from vaetui.session.schedule import Step
from vaetui.session.views import Curves, Phase
from vaetui.storage.repository import Facts


class Standing:
    """What a screen may ask of a session at any time, once it has settled."""

    _step: Step
    _next_round: int

    def __init__(self, facts: Facts, config: Config) -> None:
        """Begin with what is recorded; the configuration may name another device."""
        self._facts, self._config = facts, config
        self.classes: Classes = facts.classes()
        """What classes there are."""
        self._course = Course(facts, config)
        self.tested = any(ended.test_accuracy is not None for ended in self._course.epochs) or _tested(facts)
        """Whether true labels tell how many test images are called right."""

    @property
    def config(self) -> Config:
        """Every knob, for as many classes as there are now."""
        return replace(self._config, network=replace(self._config.network, classes=len(self.classes)))

    @property
    def phase(self) -> Phase:
        """Whether the session trains, is asked, or has finished."""
        return schedule.phase(self._step)

    @property
    def rounds(self) -> int:
        """Rounds in the run."""
        return self.config.training.rounds

    @property
    def epochs(self) -> int:
        """Epochs in the run."""
        return total_epochs(self.config.training)

    @property
    def round(self) -> int:
        """The round being asked, or the next one to be; 0 where none is left."""
        return self._next_round

    def curves(self) -> Curves:
        """Show what was measured so far."""
        return self._course.curves()

    def _settle(self) -> None:
        """Look at what is recorded for what comes next."""
        self._step = schedule.next_step(self.config.training, self._facts)
        self._next_round = schedule.next_round(self.config.training, self._facts)


def _tested(facts: Facts) -> bool:
    with suppress(Trouble):  # whoever loads the images tells that they are gone
        found = located(facts)
        return found.test_images is not None and found.test_labels is not None
    return False

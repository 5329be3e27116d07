"""Where a session stands in its run and what was measured so far; it knows neither images nor networks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from vaetui.engine.classes import ClassList
from vaetui.engine.config import Config, count_epochs
from vaetui.errors import UserError
from vaetui.session import schedule
from vaetui.session.data_source import locate_session_files
from vaetui.session.metric_history import MetricHistory
from vaetui.session.schedule import NextStep
from vaetui.session.views import Phase, TrainingCurves
from vaetui.storage.repository import SessionRepository


class RunState:
    """What a screen may ask of a session at any time, once it has settled."""

    _next_step: NextStep
    _next_round_number: int

    def __init__(self, repository: SessionRepository, config: Config) -> None:
        """Begin with what is recorded; the configuration may name another device."""
        self._repository, self._config = repository, config
        self.classes: ClassList = repository.load_class_list()
        """What classes there are."""
        self._history = MetricHistory(repository, config)
        self.has_test_labels = any(
            ended.test_accuracy is not None for ended in self._history.finished_epochs
        ) or _has_test_labels(repository)
        """Whether true labels tell how many test images are called right."""

    @property
    def config(self) -> Config:
        """Every knob, for as many classes as there are now."""
        return replace(self._config, network=replace(self._config.network, classes=len(self.classes)))

    @property
    def phase(self) -> Phase:
        """Whether the session trains, is asked, or has finished."""
        return schedule.phase_for_step(self._next_step)

    @property
    def rounds(self) -> int:
        """Rounds in the run."""
        return self.config.training.rounds

    @property
    def epochs(self) -> int:
        """Epochs in the run."""
        return count_epochs(self.config.training)

    @property
    def round_number(self) -> int:
        """The round being asked, or the next one to be; 0 where none is left."""
        return self._next_round_number

    def training_curves(self) -> TrainingCurves:
        """Show what was measured so far."""
        return self._history.training_curves()

    def _refresh(self) -> None:
        """Look at what is recorded for what comes next."""
        self._next_step = schedule.next_step(self.config.training, self._repository)
        self._next_round_number = schedule.next_round_number(self.config.training, self._repository)


def _has_test_labels(repository: SessionRepository) -> bool:
    with suppress(UserError):  # whoever loads the images tells that they are gone
        found = locate_session_files(repository)
        return found.test_images is not None and found.test_labels is not None
    return False

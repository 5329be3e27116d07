"""The next step of a run, derived from the recorded facts."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

from vaetui.engine.config import Config, TrainingConfig, count_epochs, find_round_after_epoch, find_round_of_epoch
from vaetui.session.views import Phase
from vaetui.storage.repository import SessionRepository

NextStep: TypeAlias = Literal["train", "cluster", "ask", "finish"]


def next_step(training: TrainingConfig, repository: SessionRepository) -> NextStep:
    """Return the next step: train an epoch, cluster for a round, ask for its answers, or finish."""
    epoch = len(repository.list_epochs())
    round_number = find_round_after_epoch(training, epoch)
    if round_number is not None:
        end_times = {number: ended_at for number, _, ended_at in repository.list_rounds()}
        if round_number not in end_times:
            return "cluster"
        if end_times[round_number] is None:
            return "ask"
    return "train" if epoch < count_epochs(training) else "finish"


def phase_for_step(step: NextStep) -> Phase:
    """Return the phase that front ends show before a step."""
    return {"train": "training", "cluster": "training", "ask": "labelling", "finish": "finished"}[step]  # type: ignore[return-value]


def read_phase(directory: Path) -> Phase:
    """Return the phase of a session that another process may have open."""
    with closing(SessionRepository(directory)) as repository:
        return phase_for_step(next_step(repository.config.training, repository))


def next_round_number(training: TrainingConfig, repository: SessionRepository) -> int:
    """Return the current or next round; 0 after the last one."""
    finished_count = sum(ended_at is not None for _, _, ended_at in repository.list_rounds())
    return finished_count + 1 if finished_count < training.rounds else 0


def config_for_epoch(epoch: int, config: Config, repository: SessionRepository) -> Config:
    """Return the configuration of the networks in an epoch: with the classes at the end of the round before it."""
    class_count = len(repository.load_class_list(find_round_of_epoch(config.training, epoch) or 0))
    return replace(config, network=replace(config.network, classes=class_count))

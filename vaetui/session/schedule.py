"""What comes next in a run, told from what is recorded; it does nothing of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

from vaetui.engine.config import Config, TrainingConfig, count_epochs, find_label_round, find_round_after_epoch
from vaetui.session.views import Phase
from vaetui.storage.repository import SessionRepository

NextStep: TypeAlias = Literal["train", "cluster", "ask", "finish"]


def next_step(training: TrainingConfig, repository: SessionRepository) -> NextStep:
    """Tell what a session does next: train an epoch, cluster for a round, ask it, or nothing more."""
    epoch = len(repository.list_epochs())
    round = find_round_after_epoch(training, epoch)
    if round is not None:
        ended = {number: ended for number, _, ended in repository.list_rounds()}
        if round not in ended:
            return "cluster"
        if ended[round] is None:
            return "ask"
    return "train" if epoch < count_epochs(training) else "finish"


def phase_for_step(step: NextStep) -> Phase:
    """Name the state that a person sees while that step is next."""
    return {"train": "training", "cluster": "training", "ask": "labelling", "finish": "finished"}[step]  # type: ignore[return-value]


def next_round_number(training: TrainingConfig, repository: SessionRepository) -> int:
    """Tell the round being asked, or the next one to be; 0 where none is left."""
    asked = sum(ended is not None for _, _, ended in repository.list_rounds())
    return asked + 1 if asked < training.rounds else 0


def config_for_epoch(epoch: int, config: Config, repository: SessionRepository) -> Config:
    """Give the configuration of the networks in an epoch: for the classes at the end of the round before it."""
    classes = len(repository.load_class_list(find_label_round(config.training, epoch) or 0))
    return replace(config, network=replace(config.network, classes=classes))

"""What comes next in a run, told from what is recorded; it does nothing of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

from vaetui.engine.config import Config, TrainingConfig, round_after, round_before, total_epochs
from vaetui.session.views import Phase
from vaetui.storage.repository import Facts

Step: TypeAlias = Literal["train", "cluster", "ask", "finish"]


def next_step(schedule: TrainingConfig, facts: Facts) -> Step:
    """Tell what a session does next: train an epoch, cluster for a round, ask it, or nothing more."""
    epoch = len(facts.epochs())
    round = round_after(schedule, epoch)
    if round is not None:
        ended = {number: ended for number, _, ended in facts.rounds()}
        if round not in ended:
            return "cluster"
        if ended[round] is None:
            return "ask"
    return "train" if epoch < total_epochs(schedule) else "finish"


def phase(step: Step) -> Phase:
    """Name the state that a person sees while that step is next."""
    return {"train": "training", "cluster": "training", "ask": "labelling", "finish": "finished"}[step]  # type: ignore[return-value]


def next_round(training: TrainingConfig, facts: Facts) -> int:
    """Tell the round being asked, or the next one to be; 0 where none is left."""
    asked = sum(ended is not None for _, _, ended in facts.rounds())
    return asked + 1 if asked < training.rounds else 0


def trained_in(epoch: int, config: Config, facts: Facts) -> Config:
    """Give the configuration of the networks in an epoch: for the classes at the end of the round before it."""
    classes = len(facts.classes(round_before(config.training, epoch) or 0))
    return replace(config, network=replace(config.network, classes=classes))

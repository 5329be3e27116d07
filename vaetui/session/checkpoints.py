"""Networks are kept on the way and put back where they were left; it does not know what trains them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from vaetui.engine import training
from vaetui.engine.config import Config
from vaetui.engine.events import Stepped
from vaetui.engine.training import Learner
from vaetui.errors import Trouble
from vaetui.session import schedule
from vaetui.storage import file_names, tensors
from vaetui.storage.artifact_store import Lost, Vault
from vaetui.storage.repository import Facts

KEPT = 3
"""Checkpoints that are kept, so that a damaged one costs some seconds of training."""


def made(epoch: int, config: Config, facts: Facts, shape: tuple[int, ...]) -> Learner:
    """Make networks for images of `shape` and for the classes that an epoch knows, as the seed begins them."""
    return training.learner(schedule.trained_in(epoch, config, facts), shape)


def restored(vault: Vault, facts: Facts, config: Config, shape: tuple[int, ...]) -> tuple[Learner, int, int]:
    """Give networks as the last whole checkpoint left them, with its epoch and batch; (0, 0) without one.

    What was reported from after it is forgotten, and comes again with the same bits as training repeats it.
    """
    damaged = []
    for epoch, step in facts.checkpoints():
        name = file_names.checkpoint(epoch, step)
        learner = made(epoch, config, facts, shape)
        with suppress(Lost):
            content = vault.get(name, training.size(learner))
            try:
                training.restore(learner, tensors.unpacked(content))
                break
            except Trouble:
                vault.reject(name)
        damaged.append(name)
    else:
        epoch = step = 0
        learner = made(0, config, facts, shape)
    facts.forget_figures(epoch, step, damaged)
    return learner, epoch, step


def keep(vault: Vault, facts: Facts, learner: Learner, epoch: int, step: int, reports: Iterable[Stepped]) -> None:
    """Write a checkpoint with the reports that lead to it, and drop what is older than the last few."""
    stamp = vault.put(file_names.checkpoint(epoch, step), tensors.packed(training.snapshot(learner)))
    others = [place for place in facts.checkpoints() if place != (epoch, step)]
    old = [file_names.checkpoint(*place) for place in others[KEPT - 1 :]]
    facts.record_training(reports, stamp, old)
    for each in old:
        vault.drop(each)

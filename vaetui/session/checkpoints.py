"""Networks are kept on the way and put back where they were left; it does not know what trains them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from vaetui.engine import training
from vaetui.engine.config import Config
from vaetui.engine.events import BatchesTrained
from vaetui.engine.training import TrainState
from vaetui.errors import UserError
from vaetui.session import schedule
from vaetui.storage import file_names, tensors
from vaetui.storage.artifact_store import ArtifactLost, ArtifactStore
from vaetui.storage.repository import SessionRepository

MAX_CHECKPOINTS = 3
"""Checkpoints that are kept, so that a damaged one costs some seconds of training."""


def init_train_state(epoch: int, config: Config, repository: SessionRepository, shape: tuple[int, ...]) -> TrainState:
    """Make networks for images of `shape` and for the classes that an epoch knows, as the seed begins them."""
    return training.create_train_state(schedule.config_for_epoch(epoch, config, repository), shape)


def restore_checkpoint(
    store: ArtifactStore, repository: SessionRepository, config: Config, shape: tuple[int, ...]
) -> tuple[TrainState, int, int]:
    """Give networks as the last whole checkpoint left them, with its epoch and batch; (0, 0) without one.

    What was reported from after it is forgotten, and comes again with the same bits as training repeats it.
    """
    damaged = []
    for epoch, step in repository.list_checkpoints():
        name = file_names.checkpoint_name(epoch, step)
        learner = init_train_state(epoch, config, repository, shape)
        with suppress(ArtifactLost):
            content = store.read(name, training.max_checkpoint_bytes(learner))
            try:
                training.load_state_dict(learner, tensors.from_bytes(content))
                break
            except UserError:
                store.quarantine(name)
        damaged.append(name)
    else:
        epoch = step = 0
        learner = init_train_state(0, config, repository, shape)
    repository.delete_losses_after(epoch, step, damaged)
    return learner, epoch, step


def save_checkpoint(
    store: ArtifactStore,
    repository: SessionRepository,
    state: TrainState,
    epoch: int,
    step: int,
    events: Iterable[BatchesTrained],
) -> None:
    """Write a checkpoint with the reports that lead to it, and drop what is older than the last few."""
    stamp = store.write(file_names.checkpoint_name(epoch, step), tensors.to_bytes(training.state_dict(state)))
    others = [place for place in repository.list_checkpoints() if place != (epoch, step)]
    old = [file_names.checkpoint_name(*place) for place in others[MAX_CHECKPOINTS - 1 :]]
    repository.record_training(events, stamp, old)
    for each in old:
        store.remove(each)

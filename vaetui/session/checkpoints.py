"""Save checkpoints of the networks and restore the newest intact one."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from vaetui.engine import rng, train_state
from vaetui.engine.config import Config
from vaetui.engine.devices import replace_unavailable
from vaetui.engine.events import BatchesTrained
from vaetui.engine.images import Images
from vaetui.engine.patch_vae import PatchVAE
from vaetui.engine.train_state import TrainState
from vaetui.engine.vector_vae import VectorVAE
from vaetui.engine.vectors import Vectors
from vaetui.errors import UserError
from vaetui.session import schedule
from vaetui.storage import file_names, tensors
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository

MAX_CHECKPOINTS = 3
"""Checkpoints kept, so that a damaged one costs only seconds of training."""


def require_device(store: ArtifactStore, repository: SessionRepository, config: Config) -> None:
    """Raise UserError if a trained session is opened where its device is missing; not all commands have --device."""
    if config.device != replace_unavailable(config.device) and repository.list_checkpoints():
        name = store.directory.name
        raise UserError(
            f"Device {config.device}, on which {name} was trained, is not available. Continue on another one with: "
            f"vaetui resume {name} --device auto"
        )


def create_epoch_state(epoch: int, config: Config, repository: SessionRepository) -> TrainState:
    """Return freshly initialised networks for the classes of an epoch."""
    config = schedule.config_for_epoch(epoch, config, repository)
    return train_state.create_train_state(config, repository.input_shape, repository.shape[1:])


def restore_checkpoint(
    store: ArtifactStore, repository: SessionRepository, config: Config, inputs: Images | Vectors
) -> tuple[TrainState, int, int]:
    """Return the networks of the newest intact checkpoint with its epoch and step.

    Epoch and step are 0 without a checkpoint; new networks for vectors or patches are then fitted to `inputs`, those of
    training. Losses recorded after the checkpoint are deleted; training repeats them bit for bit.
    """
    damaged_names = []
    for epoch, step in repository.list_checkpoints():
        name = file_names.checkpoint_name(epoch, step)
        state = create_epoch_state(epoch, config, repository)
        with suppress(ArtifactLostError):
            content = store.read(name, train_state.bound_checkpoint_bytes(state))
            try:
                train_state.load_checkpoint_arrays(state, tensors.decode_safetensors(content))
                break
            except UserError:
                store.quarantine_checkpoint(name)
        damaged_names.append(name)
    else:
        epoch = step = 0
        state = create_epoch_state(0, config, repository)
        if isinstance(state.vae, VectorVAE) and isinstance(inputs, Vectors):
            state.vae.fit_to_vectors(inputs, rng.derive_seed(config.seed, "vectors"))
        if isinstance(state.vae, PatchVAE) and isinstance(inputs, Images):
            state.vae.fit_to_images(inputs, rng.derive_seed(config.seed, "patches"))
    repository.delete_losses_after(epoch, step, damaged_names)
    return state, epoch, step


def save_checkpoint(
    store: ArtifactStore,
    repository: SessionRepository,
    state: TrainState,
    epoch: int,
    step: int,
    events: Iterable[BatchesTrained],
) -> None:
    """Write a checkpoint, record it with the training events before it, and delete the oldest checkpoints."""
    fingerprint = store.write(
        file_names.checkpoint_name(epoch, step), tensors.encode_safetensors(train_state.to_checkpoint_arrays(state))
    )
    other_checkpoints = [checkpoint for checkpoint in repository.list_checkpoints() if checkpoint != (epoch, step)]
    obsolete_names = [
        file_names.checkpoint_name(*checkpoint) for checkpoint in other_checkpoints[MAX_CHECKPOINTS - 1 :]
    ]
    repository.record_training(events, fingerprint, obsolete_names)
    for name in obsolete_names:
        store.remove(name)

"""Labels that are propagated anew within a round: after each epoch, over a graph of the networks so far."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING

from vaetui.engine.config import Config, find_epoch_before_round, find_round_of_epoch
from vaetui.engine.events import Event
from vaetui.session.label_propagator import LabelPropagator
from vaetui.storage import file_names
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository

if TYPE_CHECKING:
    from vaetui.engine.pseudo_labels import PseudoLabels
    from vaetui.session.trainer import Trainer


def are_labels_renewed(config: Config, round_number: int, epoch: int) -> bool:
    """Return whether an epoch trains on labels of its own, and not on those that its round began with."""
    return config.propagation.renews_labels and epoch > find_epoch_before_round(config.training, round_number) + 1


def renew_labels(
    store: ArtifactStore,
    repository: SessionRepository,
    trainer: Trainer,
    propagator: LabelPropagator,
    epoch: int,
) -> Generator[Event, None, PseudoLabels]:
    """Return the pseudo-labels of an epoch by the networks before it; yields progress.

    They are stored before the epoch begins, because the networks before it are gone when it is continued after an
    interruption. Should the file be lost, an epoch in progress continues on the labels that the round began with.
    """
    from vaetui.engine.pseudo_labels import PseudoLabels
    from vaetui.storage import stored_arrays

    name = file_names.labels_name(epoch)
    if repository.find_fingerprint(name):
        with suppress(ArtifactLostError):
            stored = stored_arrays.load_arrays(store, name, stored_arrays.RenewedLabels)
            return PseudoLabels(stored.class_ids.astype("int64"), stored.weights)
    embeddings = None
    if trainer.last_trained_epoch == epoch - 1 and not trainer.is_within_epoch:
        embeddings = yield from trainer.embed_training_images(epoch - 1)
    round_number = find_round_of_epoch(trainer.config.training, epoch)
    assert round_number is not None
    labels = yield from propagator.propagate_answers(trainer.config, round_number, embeddings)
    renewed = stored_arrays.RenewedLabels(labels.class_ids.astype("uint8"), labels.weights)
    repository.record_files((yield from stored_arrays.save_large_arrays(store, name, renewed, "saving the labels")))
    return labels

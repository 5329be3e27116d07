"""Agreement between the answers of a round and the classifier before it, without ground truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.config import find_epoch_before_round
from vaetui.engine.metrics import Agreement, measure_agreement
from vaetui.session.label_propagator import LabelPropagator
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import EpochPredictions


def measure_round_agreements(
    store: ArtifactStore, repository: SessionRepository, propagator: LabelPropagator
) -> Iterator[tuple[int, Agreement]]:
    """Yield (round number, agreement) for each finished round, from the second with answers on.

    Images labelled in an earlier round are left out, so the labels are new to the classifier and test its
    confidence. That confidence was recorded before later merges of classes and may be too low for merged ones.
    """
    earlier_indices = np.empty(0, np.int64)
    for round_number, _, ended_at in repository.list_rounds():
        if ended_at is None:
            return  # its answers may still change
        labels = propagator.load_round_labels(round_number)
        labelled_set = labels.labelled_set
        if len(earlier_indices):
            new = np.flatnonzero(~np.isin(labelled_set.indices, earlier_indices))
            confidences = _load_confidences(store, repository, round_number)
            if confidences is not None:
                confidences = confidences[labelled_set.indices[new]]
            agreement = measure_agreement(labelled_set.class_ids[new], labels.predicted_class_ids[new], confidences)
            if agreement:
                yield round_number, agreement
        earlier_indices = np.concatenate([earlier_indices, labelled_set.indices])


def _load_confidences(
    store: ArtifactStore, repository: SessionRepository, round_number: int
) -> NDArray[np.float32] | None:
    """Return the classifier's confidences when a round began, [N]; None if they are not stored or lost."""
    name = file_names.predictions_name(find_epoch_before_round(repository.config.training, round_number))
    if repository.find_fingerprint(name):
        with suppress(ArtifactLostError):  # a lost file only costs one metric
            return stored_arrays.load_arrays(store, name, EpochPredictions).confidences
    return None

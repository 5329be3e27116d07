"""The images whose predicted class is the least certain."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from vaetui.engine.clusters import Indices
from vaetui.engine.config import Config
from vaetui.session.label_propagator import LabelPropagator
from vaetui.session.learned_classes import find_learned_class_ids
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import EpochPredictions


def find_least_sure_images(
    store: ArtifactStore,
    repository: SessionRepository,
    propagator: LabelPropagator,
    config: Config,
    epoch: int,
    class_id: int,
    count: int,
) -> tuple[Indices, tuple[float, ...]]:
    """Return indices and confidences of the training images that an epoch predicts as a class, least confident first.

    At most `count` distinct images without an answer of their own, [<= count]. None if the class was not learned, and
    if the predictions are not stored or lost.
    """
    name, rounds = file_names.predictions_name(epoch), repository.list_rounds()
    if class_id in find_learned_class_ids(config, repository, epoch) and repository.find_fingerprint(name):
        with suppress(ArtifactLostError):
            predictions = stored_arrays.load_arrays(store, name, EpochPredictions)
            canonical = np.array(repository.load_class_list().canonical)
            last_round, _, _ = rounds[-1]
            direct_labels = propagator.label_from_answers(config, last_round)
            is_candidate = (canonical[predictions.class_ids] == class_id) & (direct_labels.weights == 0)
            is_candidate &= propagator.find_distinct_images(last_round)
            candidates = np.flatnonzero(is_candidate)
            order = np.argsort(predictions.confidences[candidates], kind="stable")[:count]
            indices = candidates[order]
            return indices, tuple(predictions.confidences[indices].tolist())
    return np.empty(0, np.int64), ()

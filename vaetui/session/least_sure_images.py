"""The images whose label is the least certain."""

from __future__ import annotations

import numpy as np

from vaetui.engine.clusters import Indices
from vaetui.engine.config import Config
from vaetui.session.label_evidence import estimate_confidences
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
    """Return indices and confidences of the training images whose label is a class, least confident first.

    With graph propagation, they are images without an answer of their own that an epoch predicts as the class, and
    their confidences are uncalibrated; else members of answered clusters, whose confidence is the weight of their
    label. At most `count` distinct images, [<= count]. None before the first round, if the class was not learned, and
    if the predictions are lost.
    """
    rounds, name = repository.list_rounds(), file_names.predictions_name(epoch)
    if not rounds:
        return np.empty(0, np.int64), ()
    last_round = repository.find_last_answered_round() or len(rounds)
    labels = propagator.label_from_answers(config, last_round)
    if config.propagation.method == "cluster":
        is_candidate, confidences = (labels.class_ids == class_id) & (labels.weights > 0), labels.weights
    elif class_id in find_learned_class_ids(config, repository, epoch) and repository.find_fingerprint(name):
        try:
            predictions = stored_arrays.load_arrays(store, name, EpochPredictions)
        except ArtifactLostError:
            return np.empty(0, np.int64), ()
        canonical = np.array(repository.load_class_list().canonical)
        predicted_class_ids = canonical[predictions.class_ids]
        is_candidate = (predicted_class_ids == class_id) & (labels.weights == 0)
        estimated_confidences = estimate_confidences(
            store, repository, propagator, epoch, predicted_class_ids.astype(np.uint8), predictions.leads
        )
        confidences = predictions.confidences if estimated_confidences is None else estimated_confidences
    else:
        return np.empty(0, np.int64), ()
    class_ids = np.full(len(is_candidate), class_id)
    is_candidate &= ~propagator.find_unlabelled_images(config, last_round, class_ids)
    candidates = np.flatnonzero(is_candidate & propagator.find_distinct_images(last_round))
    indices = candidates[np.argsort(confidences[candidates], kind="stable")[:count]]
    return indices, tuple(confidences[indices].tolist())

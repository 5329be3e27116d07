"""How far the answers of each round agree with the classifier that had not heard them; it knows no truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.config import find_epoch_before_round
from vaetui.engine.metrics import Agreement, measure_agreement
from vaetui.session.label_propagator import LabelPropagator
from vaetui.storage import file_names, round_snapshots
from vaetui.storage.artifact_store import ArtifactLost, ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.round_snapshots import EpochPredictions


def round_agreements(
    store: ArtifactStore, repository: SessionRepository, propagator: LabelPropagator
) -> Iterator[tuple[int, Agreement]]:
    """Give each round that is over, from the second with answers on, with what it says of the classifier.

    The images named in a round were shown to nobody before its answers, unless an earlier round named them: those are
    left out. So this holds the classifier's certainty against labels that it could not have learned from. The
    certainty is that of then: of classes that were merged since it tells less than is now agreed.
    """
    known = np.empty(0, np.int64)
    for number, _, ended in repository.list_rounds():
        if ended is None:
            return  # its answers may still change
        heard = propagator.round_evidence(number)
        seeds = heard.labelled_set
        new = np.flatnonzero(~np.isin(seeds.indices, known))
        certainty = _load_certainty(store, repository, number) if len(known) else None
        told = measure_agreement(
            seeds.class_ids[new], heard.predicted[new], None if certainty is None else certainty[seeds.indices[new]]
        )
        if len(known) and told:
            yield number, told
        known = np.concatenate([known, seeds.indices])


def _load_certainty(
    store: ArtifactStore, repository: SessionRepository, round_number: int
) -> NDArray[np.float32] | None:
    """Give how sure the classifier was of each training image as that round began, where that was kept."""
    name = file_names.predictions_name(find_epoch_before_round(repository.config.training, round_number))
    if repository.find_fingerprint(name):
        with suppress(ArtifactLost):  # a figure less is no reason to fail
            return round_snapshots.load(store, name, EpochPredictions).confidences
    return None

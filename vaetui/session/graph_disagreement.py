"""On how many images classifier and neighbour graph differ, and between which classes."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from vaetui.session.views import Disagreement
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import EpochPredictions


def measure_disagreement(store: ArtifactStore, repository: SessionRepository, epoch: int) -> Disagreement | None:
    """Return how the predictions after an epoch differ from the propagated answers that the epoch trained on.

    Merged classes count as their targets, and images without a propagated answer are left out. None for an epoch
    without labels, and for one whose predictions are not stored or lost.
    """
    name = file_names.predictions_name(epoch)
    if not repository.find_fingerprint(name):
        return None
    with suppress(ArtifactLostError):  # a lost file only costs one figure
        arrays = stored_arrays.load_arrays(store, name, EpochPredictions)
        is_labelled = arrays.propagated_weights > 0
        count = np.count_nonzero(is_labelled)
        if count:
            canonical = np.array(repository.load_class_list().canonical)
            predicted = canonical[arrays.class_ids[is_labelled]]
            propagated = canonical[arrays.propagated_class_ids[is_labelled]]
            differs = predicted != propagated
            class_count = len(canonical)
            keys = np.minimum(predicted, propagated)[differs] * class_count + np.maximum(predicted, propagated)[differs]
            counts = zip(*(values.tolist() for values in np.unique(keys, return_counts=True)), strict=True)
            pairs = [(*divmod(key, class_count), pair_count) for key, pair_count in counts]
            pairs.sort(key=lambda pair: -pair[2])
            return Disagreement(float(np.count_nonzero(differs) / count), tuple(pairs))
    return None

"""Images whose class a person has told; they know no clusters and no graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Indices


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSet:
    """Images whose class somebody has told."""

    indices: Indices
    """Places in the training set, [M]; one may be there more than once."""
    class_ids: NDArray[np.int64]
    """The class, [M]."""
    weights: NDArray[np.float64]
    """How sure it is, [M], from 0 to 1."""


def concat_labelled_sets(labelled_sets: Sequence[LabelledSet]) -> LabelledSet:
    """Put seeds together, in order."""
    return LabelledSet(
        np.concatenate([np.empty(0, np.int64), *(each.indices for each in labelled_sets)]),
        np.concatenate([np.empty(0, np.int64), *(each.class_ids for each in labelled_sets)]),
        np.concatenate([np.empty(0), *(each.weights for each in labelled_sets)]),
    )

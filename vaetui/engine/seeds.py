"""Images whose class a person has told; they know no clusters and no graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Indices


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """Images whose class somebody has told."""

    indices: Indices
    """Places in the training set, [M]; one may be there more than once."""
    labels: NDArray[np.int64]
    """The class, [M]."""
    weights: NDArray[np.float64]
    """How sure it is, [M], from 0 to 1."""


def joined(seeds: Sequence[Seeds]) -> Seeds:
    """Put seeds together, in order."""
    return Seeds(
        np.concatenate([np.empty(0, np.int64), *(each.indices for each in seeds)]),
        np.concatenate([np.empty(0, np.int64), *(each.labels for each in seeds)]),
        np.concatenate([np.empty(0), *(each.weights for each in seeds)]),
    )

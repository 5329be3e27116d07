"""The confidence of labels: the probability that a label is right, from features that do not saturate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEATURES = ("classifier_lead", "graph_lead", "neighbour_share", "stability")
"""The features of a label: the lead of its class in the classifier's log probabilities; its lead in the probabilities
of the graph, from -1 to 1; the share of the nearest neighbours that are predicted as its class; the share of earlier
epochs that predicted it."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What speaks for each label."""

    features: NDArray[np.float32]
    """The features of M labels, [M, len(FEATURES)]."""

    def __len__(self) -> int:
        """Return the number of labels."""
        return len(self.features)

    def select_rows(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Evidence:
        """Return the evidence of some labels, by indices or a mask."""
        return Evidence(self.features[rows])

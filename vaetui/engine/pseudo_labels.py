"""Tree and answers become one label and one weight per image (paper, equation 2): a pure function, nothing kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.answers import Answers, Label
from vaetui.engine.clusters import Tree, leaves
from vaetui.engine.seeds import Seeds


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What the answers say of each image."""

    labels: NDArray[np.int64]
    """The class, [N]; 0 where the weight is 0."""
    weights: NDArray[np.float32]
    """w of equation 2, [N], from 0 to 1; 0 without an answer."""

    @property
    def covered(self) -> float:
        """The share of images that have a weight."""
        return float(np.count_nonzero(self.weights) / len(self.weights))


def weigh(tree: Tree, answers: Answers, count: int, decay: float) -> Weights:
    """Spread the answers to all members of their clusters: w = p_c exp(-a d) (eq. 2).

    `count` is the number of training images, `decay` is a. Unanswered and unreadable clusters give weight 0.
    """
    labels = np.zeros(count, np.int64)
    weights = np.zeros(count, np.float32)
    for cluster in leaves(tree):
        answer = answers.get(cluster.path)
        if isinstance(answer, Label):
            labels[cluster.members] = answer.label
            weights[cluster.members] = answer.confidence * fading(cluster.distances, decay)
    return Weights(labels, weights)


def told(seeds: Seeds, count: int) -> Weights:
    """Give label and weight of those of `count` images whose class was told; the last word counts."""
    labels, weights = np.zeros(count, np.int64), np.zeros(count, np.float32)
    labels[seeds.indices] = seeds.labels
    weights[seeds.indices] = seeds.weights
    return Weights(labels, weights)


def fading(distances: NDArray[np.float32], decay: float) -> NDArray[np.float32]:
    """Give exp(-a d), [M], of distances [M]: what is left of a confidence at each distance."""
    faded: NDArray[np.float32] = np.exp(-decay * distances)
    return faded

"""Tree and answers become one label and one weight per image (paper, equation 2): a pure function, nothing kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.answers import Answers, ClassAnswer
from vaetui.engine.clusters import ClusterTree, iter_leaves
from vaetui.engine.seeds import LabelledSet


@dataclass(frozen=True, slots=True, eq=False)
class PseudoLabels:
    """What the answers say of each image."""

    class_ids: NDArray[np.int64]
    """The class, [N]; 0 where the weight is 0."""
    weights: NDArray[np.float32]
    """w of equation 2, [N], from 0 to 1; 0 without an answer."""

    @property
    def label_coverage(self) -> float:
        """The share of images that have a weight."""
        return float(np.count_nonzero(self.weights) / len(self.weights))


def label_by_cluster(tree: ClusterTree, answers: Answers, image_count: int, decay: float) -> PseudoLabels:
    """Spread the answers to all members of their clusters: w = p_c exp(-a d) (eq. 2).

    `count` is the number of training images, `decay` is a. Unanswered and unreadable clusters give weight 0.
    """
    labels = np.zeros(image_count, np.int64)
    weights = np.zeros(image_count, np.float32)
    for cluster in iter_leaves(tree):
        answer = answers.get(cluster.path)
        if isinstance(answer, ClassAnswer):
            labels[cluster.members] = answer.class_id
            weights[cluster.members] = answer.confidence * distance_decay(cluster.distances, decay)
    return PseudoLabels(labels, weights)


def direct_labels(labelled: LabelledSet, image_count: int) -> PseudoLabels:
    """Give label and weight of those of `count` images whose class was told; the last word counts."""
    labels, weights = np.zeros(image_count, np.int64), np.zeros(image_count, np.float32)
    labels[labelled.indices] = labelled.class_ids
    weights[labelled.indices] = labelled.weights
    return PseudoLabels(labels, weights)


def distance_decay(distances: NDArray[np.float32], decay: float) -> NDArray[np.float32]:
    """Give exp(-a d), [M], of distances [M]: what is left of a confidence at each distance."""
    faded: NDArray[np.float32] = np.exp(-decay * distances)
    return faded

"""Labelled images, and pseudo-labels: one class and one weight per image (paper, equation 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.answers import Answers, ClassAnswer
from vaetui.engine.clusters import ClusterTree, Indices, iter_leaves


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSet:
    """Images whose class a person stated."""

    indices: Indices
    """Indices in the training set, [M]; an image may occur more than once."""
    class_ids: NDArray[np.int64]
    """Classes, [M]."""
    weights: NDArray[np.float64]
    """Confidence of the labels, [M], from 0 to 1."""
    image_counts: NDArray[np.float64]
    """Number of images that each label stands for, [M]: those of its cluster, divided by the number of those shown."""


@dataclass(frozen=True, slots=True, eq=False)
class PseudoLabels:
    """Class and weight of every training image, derived from the answers."""

    class_ids: NDArray[np.int64]
    """Classes, [N]; 0 where the weight is 0."""
    weights: NDArray[np.float32]
    """w of equation 2, [N], from 0 to 1; 0 for images without a label."""

    @property
    def label_coverage(self) -> float:
        """Share of images with a weight above 0."""
        return float(np.count_nonzero(self.weights) / len(self.weights))


def concat_labelled_sets(labelled_sets: Sequence[LabelledSet]) -> LabelledSet:
    """Return the concatenation of labelled sets, in order."""
    return LabelledSet(
        np.concatenate([np.empty(0, np.int64), *(labelled.indices for labelled in labelled_sets)]),
        np.concatenate([np.empty(0, np.int64), *(labelled.class_ids for labelled in labelled_sets)]),
        np.concatenate([np.empty(0), *(labelled.weights for labelled in labelled_sets)]),
        np.concatenate([np.empty(0), *(labelled.image_counts for labelled in labelled_sets)]),
    )


def label_by_cluster(tree: ClusterTree, answers: Answers, image_count: int, decay: float) -> PseudoLabels:
    """Label all members of the answered clusters: w = p_c exp(-a d) (eq. 2).

    `image_count` is the number of training images, `decay` is a. Members of unanswered and unreadable clusters get
    weight 0.
    """
    class_ids, weights = np.zeros(image_count, np.int64), np.zeros(image_count, np.float32)
    for cluster in iter_leaves(tree):
        answer = answers.get(cluster.path)
        if isinstance(answer, ClassAnswer):
            class_ids[cluster.members] = answer.class_id
            weights[cluster.members] = answer.confidence * compute_distance_decay(cluster.distances, decay)
    return PseudoLabels(class_ids, weights)


def label_answered_images(labelled: LabelledSet, image_count: int) -> PseudoLabels:
    """Label only the labelled ones of `image_count` images; the last label of an image counts."""
    class_ids, weights = np.zeros(image_count, np.int64), np.zeros(image_count, np.float32)
    class_ids[labelled.indices] = labelled.class_ids
    weights[labelled.indices] = labelled.weights
    return PseudoLabels(class_ids, weights)


def compute_distance_decay(distances: NDArray[np.float32], decay: float) -> NDArray[np.float32]:
    """Return exp(-a d), [M], for distances [M]: the factor of the confidence in equation 2."""
    factors: NDArray[np.float32] = np.exp(-decay * distances)
    return factors

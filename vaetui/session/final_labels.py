"""One label per image, equal for copies: from the answers, else from the classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaetui.engine.answers import format_path
from vaetui.engine.classes import ClassList
from vaetui.engine.clusters import ClusterTree, Indices, iter_leaves
from vaetui.engine.config import Config
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.errors import UserError
from vaetui.export.label_table import (
    ANSWER,
    BEYOND_BORDER_ID,
    CLASSIFIER,
    NO_CLASS_ID,
    NO_SOURCE_ID,
    PROPAGATED,
    UNREADABLE_ID,
    LabelTable,
)
from vaetui.session.image_answers import ImageLabelMap
from vaetui.session.label_propagator import LabelPropagator
from vaetui.session.labelling_round import LabellingRound
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import TrainValSplit

if TYPE_CHECKING:
    from vaetui.engine.inference import Predictions  # imports torch


class NoLabelsError(UserError):
    """No cluster has an answer yet."""


def require_answered_round(repository: SessionRepository, session_name: str) -> int:
    """Return the last round with an answer. Raises NoLabelsError if there is none."""
    last_round = repository.find_last_answered_round()
    if not last_round:
        raise NoLabelsError(f"No labels yet: answer a cluster first, with: vaetui resume {session_name}")
    return last_round


def build_label_table(
    last_round: LabellingRound,
    propagator: LabelPropagator,
    config: Config,
    predictions: tuple[Predictions, Predictions] | None,
    train_val_split: TrainValSplit,
    classes: ClassList,
) -> LabelTable:
    """Return the labels of all training and validation images, in file order; copies of an image have equal labels.

    `last_round` is the last answered round, and `predictions` are those for training and validation images; with None,
    images that no answer is about have no label.
    """
    direct_labels = propagator.label_from_answers(config, last_round.round_number)
    shown_images = propagator.list_shown_indices(config, last_round.round_number)
    image_labels = propagator.load_image_labels()
    return _join_labels(
        last_round.tree, direct_labels, shown_images, image_labels, predictions, train_val_split, classes
    )


def _join_labels(
    tree: ClusterTree,
    direct_labels: PseudoLabels,
    shown_images: Indices,
    image_labels: ImageLabelMap,
    predictions: tuple[Predictions, Predictions] | None,
    train_val_split: TrainValSplit,
    classes: ClassList,
) -> LabelTable:
    """Return the table of the labels by answers, of which some images were shown, and of the predictions.

    `image_labels` are about training and held-out images.
    """
    train_indices, validation_indices = train_val_split.train_indices, train_val_split.validation_indices
    count = len(train_indices) + len(validation_indices)

    cluster_numbers, distances = np.full(count, -1, np.int32), np.full(count, np.nan, np.float32)
    paths = []
    for number, cluster in enumerate(iter_leaves(tree)):
        members = train_indices[cluster.members]
        cluster_numbers[members], distances[members] = number, cluster.distances
        paths.append(format_path(cluster.path))

    class_ids, confidences = np.full(count, NO_CLASS_ID, np.int64), np.zeros(count, np.float32)
    source_ids, weights = np.full(count, NO_SOURCE_ID, np.uint8), np.zeros(count, np.float32)
    if predictions is not None:
        source_ids[:] = CLASSIFIER
        for indices, subset_predictions in zip((train_indices, validation_indices), predictions, strict=True):
            class_ids[indices], confidences[indices] = subset_predictions.class_ids, subset_predictions.confidences
    has_answer = direct_labels.weights > 0
    answered_indices = train_indices[has_answer]
    class_ids[answered_indices] = direct_labels.class_ids[has_answer]
    confidences[answered_indices] = weights[answered_indices] = direct_labels.weights[has_answer]
    source_ids[answered_indices] = PROPAGATED
    source_ids[train_indices[shown_images[has_answer[shown_images]]]] = ANSWER
    has_own_class = image_labels.has_class  # held-out images have no other answer
    class_ids[has_own_class], source_ids[has_own_class] = image_labels.class_ids[has_own_class], ANSWER
    confidences[has_own_class] = weights[has_own_class] = 1
    is_beyond = image_labels.find_beyond_border(class_ids, source_ids == ANSWER)
    source_ids[is_beyond], source_ids[image_labels.is_unreadable] = BEYOND_BORDER_ID, UNREADABLE_ID
    is_removed = is_beyond | image_labels.is_unreadable
    class_ids[is_removed], confidences[is_removed], weights[is_removed] = NO_CLASS_ID, 0, 0

    rows = find_representatives(train_val_split)
    return LabelTable(
        class_names=classes.names,
        indices=np.arange(count),
        class_ids=class_ids[rows],
        confidences=confidences[rows],
        source_ids=source_ids[rows],
        cluster_ids=cluster_numbers[rows],
        weights=weights[rows],
        distances=distances[rows],
        cluster_paths=tuple(paths),
        merged_class_ids=frozenset(range(len(classes))) - {*classes.active_ids},
    )


def find_representatives(train_val_split: TrainValSplit) -> Indices:
    """Return for each image the copy whose label counts, [N]: the first training image among the copies, if any."""
    first_copies, train_indices = train_val_split.first_copies, train_val_split.train_indices
    representatives = first_copies.copy()
    # Of several training images that are copies, the first one is assigned last.
    representatives[first_copies[train_indices[::-1]]] = train_indices[::-1]
    return representatives[first_copies]

"""One label per image, from the answers, else from the classifier."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vaetui.engine.answers import format_path
from vaetui.engine.classes import ClassList
from vaetui.engine.clusters import ClusterTree, Indices, iter_leaves
from vaetui.engine.inference import Predictions
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.export.label_table import ANSWER, CLASSIFIER, PROPAGATED, LabelTable, SourceFiles
from vaetui.storage import dataset_cache
from vaetui.storage.stored_arrays import TrainValSplit


def build_label_table(
    tree: ClusterTree,
    direct_labels: PseudoLabels,
    shown_images: Indices,
    predictions: tuple[Predictions, Predictions],
    train_val_split: TrainValSplit,
    classes: ClassList,
) -> LabelTable:
    """Return the labels of all training and validation images, in file order.

    `tree` holds the clusters of the last answered round, `direct_labels` the labels by answers, `shown_images` the
    indices shown for those answers, and `predictions` those for training and validation images.
    """
    train_predictions, validation_predictions = predictions
    train_indices, validation_indices = train_val_split.train_indices, train_val_split.validation_indices
    count = len(train_indices) + len(validation_indices)

    has_answer = direct_labels.weights > 0
    cluster_numbers, distances = np.full(count, -1, np.int32), np.full(count, np.nan, np.float32)
    paths = []
    for number, cluster in enumerate(iter_leaves(tree)):
        members = train_indices[cluster.members]
        cluster_numbers[members], distances[members] = number, cluster.distances
        paths.append(format_path(cluster.path))

    class_ids, confidences = np.empty(count, np.int64), np.empty(count, np.float32)
    source_ids, weights = np.full(count, CLASSIFIER, np.uint8), np.zeros(count, np.float32)
    class_ids[train_indices] = np.where(has_answer, direct_labels.class_ids, train_predictions.class_ids)
    confidences[train_indices] = np.where(has_answer, direct_labels.weights, train_predictions.confidences)
    source_ids[train_indices[has_answer]] = PROPAGATED
    source_ids[train_indices[shown_images[has_answer[shown_images]]]] = ANSWER
    weights[train_indices] = direct_labels.weights
    class_ids[validation_indices] = validation_predictions.class_ids
    confidences[validation_indices] = validation_predictions.confidences
    columns = (np.arange(count), class_ids, confidences, source_ids, cluster_numbers, weights, distances, tuple(paths))
    merged_class_ids = frozenset(range(len(classes))) - {*classes.active_ids}
    return LabelTable(classes.names, *columns, merged_class_ids=merged_class_ids)


def find_source_files(directory: Path, count: int) -> SourceFiles | None:
    """Return the files that a dataset of `count` images was imported from; None for arrays and unknown sources."""
    origin = dataset_cache.load_origin(directory)
    if origin is None or origin.root_path is None:
        return None
    names = tuple(
        path for file in dataset_cache.load_source_files(directory) for path in file.list_image_paths()
    )
    return SourceFiles(Path(origin.root_path), names) if len(names) == count else None

"""One label per image of the set, from the answers or else the classifier; it does not know file formats."""

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
from vaetui.storage.round_snapshots import TrainValSplit


def build_label_table(
    tree: ClusterTree,
    direct_labels: PseudoLabels,
    shown_images: Indices,
    predictions: tuple[Predictions, Predictions],
    train_val_split: TrainValSplit,
    classes: ClassList,
) -> LabelTable:
    """List every image of the set, those held out among them, in order.

    `tree` holds the clusters of the last round, `said` what answers say of images and `seen` those that a person saw
    as they answered; `read` is what the networks make of the two parts that `division` names.
    """
    train, held_out = predictions
    count = len(train_val_split.train_indices) + len(train_val_split.validation_indices)
    answered = direct_labels.weights > 0
    sources = np.where(answered, PROPAGATED, CLASSIFIER)
    sources[shown_images[answered[shown_images]]] = ANSWER
    clusters, distances = np.full(count, -1, np.int32), np.full(count, np.nan, np.float32)
    paths = []
    for place, cluster in enumerate(iter_leaves(tree)):
        members = train_val_split.train_indices[cluster.members]
        clusters[members], distances[members] = place, cluster.distances
        paths.append(format_path(cluster.path))
    labels, confidences = np.empty(count, np.int64), np.empty(count, np.float32)
    whose, weights = np.full(count, CLASSIFIER, np.uint8), np.zeros(count, np.float32)
    labels[train_val_split.train_indices] = np.where(answered, direct_labels.class_ids, train.class_ids)
    confidences[train_val_split.train_indices] = np.where(answered, direct_labels.weights, train.confidences)
    whose[train_val_split.train_indices], weights[train_val_split.train_indices] = sources, direct_labels.weights
    labels[train_val_split.validation_indices], confidences[train_val_split.validation_indices] = (
        held_out.class_ids,
        held_out.confidences,
    )
    everything = (np.arange(count), labels, confidences, whose, clusters, weights, distances, tuple(paths))
    return LabelTable(classes.names, *everything, merged_class_ids=frozenset(range(len(classes))) - {*classes.active})


def source_files(directory: Path, count: int) -> SourceFiles | None:
    """Give the files that so many images of a set were decoded from; None for what was in arrays, or is not told."""
    origin = dataset_cache.load_origin(directory)
    if origin is None or origin.root_path is None:
        return None
    names = tuple(it.relative_path for it in dataset_cache.load_source_files(directory) if it.skip_reason is None)
    return SourceFiles(Path(origin.root_path), names) if len(names) == count else None

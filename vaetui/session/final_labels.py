"""One label per image of the set, from the answers or else the classifier; it does not know file formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vaetui.engine.answers import written
from vaetui.engine.classes import Classes
from vaetui.engine.clusters import Indices, Tree, leaves
from vaetui.engine.inference import Reading
from vaetui.engine.pseudo_labels import Weights
from vaetui.export.label_table import ANSWER, CLASSIFIER, PROPAGATED, Files, Labels
from vaetui.storage import dataset_cache
from vaetui.storage.round_snapshots import Division


def collect(
    tree: Tree,
    said: Weights,
    seen: Indices,
    read: tuple[Reading, Reading],
    division: Division,
    classes: Classes,
) -> Labels:
    """List every image of the set, those held out among them, in order.

    `tree` holds the clusters of the last round, `said` what answers say of images and `seen` those that a person saw
    as they answered; `read` is what the networks make of the two parts that `division` names.
    """
    train, held_out = read
    count = len(division.train) + len(division.validation)
    answered = said.weights > 0
    sources = np.where(answered, PROPAGATED, CLASSIFIER)
    sources[seen[answered[seen]]] = ANSWER
    clusters, distances = np.full(count, -1, np.int32), np.full(count, np.nan, np.float32)
    paths = []
    for place, cluster in enumerate(leaves(tree)):
        members = division.train[cluster.members]
        clusters[members], distances[members] = place, cluster.distances
        paths.append(written(cluster.path))
    labels, confidences = np.empty(count, np.int64), np.empty(count, np.float32)
    whose, weights = np.full(count, CLASSIFIER, np.uint8), np.zeros(count, np.float32)
    labels[division.train] = np.where(answered, said.labels, train.predicted)
    confidences[division.train] = np.where(answered, said.weights, train.certainty)
    whose[division.train], weights[division.train] = sources, said.weights
    labels[division.validation], confidences[division.validation] = held_out.predicted, held_out.certainty
    everything = (np.arange(count), labels, confidences, whose, clusters, weights, distances, tuple(paths))
    return Labels(classes.names, *everything, merged=frozenset(range(len(classes))) - {*classes.offered})


def pictures(directory: Path, count: int) -> Files | None:
    """Give the files that so many images of a set were decoded from; None for what was in arrays, or is not told."""
    origin = dataset_cache.origin(directory)
    if origin is None or origin.root is None:
        return None
    names = tuple(it.name for it in dataset_cache.seen(directory) if it.reason is None)
    return Files(Path(origin.root), names) if len(names) == count else None

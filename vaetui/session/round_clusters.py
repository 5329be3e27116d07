"""The clusters of labelling rounds, which never change once a round has begun, and a cache of them."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np

from vaetui.engine.clusters import (
    CentrePictures,
    Cluster,
    ClusterTree,
    Indices,
    LatentVectors,
    build_clusters,
    divide_members,
    to_metric_space,
)
from vaetui.engine.config import DistanceMetric
from vaetui.engine.duplicates import DistinctImages
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.artifact_store import ArtifactStore
from vaetui.storage.stored_arrays import RoundSnapshot, SplitSnapshot

MAX_CACHED_ROUNDS = 2
"""Rounds whose clusters stay in memory: the current one, and one that a person corrects.

Each takes about 100 bytes per image.
"""


class RoundClusters:
    """The clustering that a round began with, and the parts of the clusters that were split."""

    def __init__(
        self,
        store: ArtifactStore,
        distance_metric: DistanceMetric,
        round_number: int,
        distinct_images: DistinctImages | None = None,
    ) -> None:
        """Load the clusters of a round. Raises UserError for files that are lost or do not fit the session."""
        self.round_number = round_number
        """The round, from 1."""
        self.snapshot = stored_arrays.load_arrays(store, file_names.round_snapshot_name(round_number), RoundSnapshot)
        """The clustering that the round began with."""
        self.distinct_images = load_distinct_images(store) if distinct_images is None else distinct_images
        """The distinct ones among the training images."""
        self.roots = divide_members(
            self.snapshot.members.astype(np.int64),
            self.snapshot.distances,
            self.snapshot.assignments[self.snapshot.members],
            self.snapshot.centres,
            CentrePictures(self.snapshot.centre_images, self.snapshot.mean_images),
        )
        """The clusters before any split."""
        self._store = store
        self._distance_metric = distance_metric
        self._parts: dict[int, ClusterTree] = {}  # by the id of the split's answer record

    @property
    def embeddings(self) -> LatentVectors:
        """The training images in the space of the graph, [N, E]; latent vectors are converted each time."""
        return self.select_embeddings(slice(None))

    def select_embeddings(self, indices: Indices | slice) -> LatentVectors:
        """Return the embeddings of some images, [M, E]."""
        if self.snapshot.views.shape[1]:
            return self.snapshot.views[indices]
        return to_metric_space(self.snapshot.latents[indices], self._distance_metric)

    def load_parts(self, cluster: Cluster, answer_id: int) -> ClusterTree:
        """Return the parts of a cluster that the answer with that id split.

        Raises UserError if they are lost or do not fit the cluster.
        """
        if answer_id not in self._parts:
            name = file_names.split_snapshot_name(answer_id)
            width = self.snapshot.centres.shape[1]
            snapshot = stored_arrays.load_arrays(self._store, name, SplitSnapshot, M=len(cluster.members), E=width)
            pictures = CentrePictures(snapshot.centre_images, snapshot.mean_images)
            self._parts[answer_id] = build_clusters(
                self.select_embeddings(cluster.members),
                cluster.members,
                snapshot.assignments,
                snapshot.centres,
                pictures,
                cluster.path,
            )
        return self._parts[answer_id]


class RoundClustersCache:
    """The clusters of the rounds that were used last; may be used by several threads."""

    def __init__(self, store: ArtifactStore, distance_metric: DistanceMetric) -> None:
        """Start without loading anything."""
        self._store = store
        self._distance_metric = distance_metric
        self._distinct_images: DistinctImages | None = None
        self._clusters: OrderedDict[int, RoundClusters] = OrderedDict()
        self._lock = threading.Lock()

    def load(self, round_number: int) -> RoundClusters:
        """Return the clusters of a round. Raises UserError for files that are lost or do not fit the session."""
        with self._lock:
            if round_number in self._clusters:
                self._clusters.move_to_end(round_number)
                return self._clusters[round_number]
            if self._distinct_images is None:
                self._distinct_images = load_distinct_images(self._store)
            clusters = RoundClusters(self._store, self._distance_metric, round_number, self._distinct_images)
            self._clusters[round_number] = clusters
            if len(self._clusters) > MAX_CACHED_ROUNDS:
                self._clusters.popitem(last=False)
            return clusters


def load_distinct_images(store: ArtifactStore) -> DistinctImages:
    """Return the distinct ones among the training images of a session."""
    split = stored_arrays.load_train_val_split(store)
    return split.select_distinct_training_images()

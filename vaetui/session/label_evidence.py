"""What networks, graph and earlier epochs say about the class of every image."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from vaetui.engine import label_propagation, rng
from vaetui.engine.calibration import Evidence
from vaetui.engine.clusters import Indices, LatentVectors, to_metric_space
from vaetui.engine.config import Config, find_round_of_epoch
from vaetui.engine.duplicates import DistinctImages, ScalarT
from vaetui.engine.events import Progress
from vaetui.engine.pseudo_labels import LabelledSet, concat_labelled_sets
from vaetui.session.labelling_round import LabellingRound
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import EpochPredictions, TrainValSplit

if TYPE_CHECKING:
    from vaetui.engine.inference import Predictions  # imports torch

CHUNK_IMAGES = 1 << 16
"""Images whose neighbours are compared at a time."""
HELD_OUT_NEIGHBOURS = 6
"""Training images whose evidence a held-out image shares, as many as the anchors of the graph."""
RoundLoader = Callable[[int, int | None], LabellingRound]
"""Loads a round, with the arguments of `LabellingRound`."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelEvidence:
    """The opinions about A images: training and held-out images in file order."""

    class_ids: NDArray[np.uint8]
    """Classes predicted by the classifier, [A]."""
    second_class_ids: NDArray[np.uint8]
    """Second most probable classes, [A]."""
    leads: NDArray[np.float32]
    """Leads of the predicted classes over the second ones, in log probability, [A]."""
    graph_class_ids: NDArray[np.uint8]
    """Most probable classes by the answers, propagated over the graph, [A]."""
    graph_leads: NDArray[np.float32]
    """Their leads over the second ones, 0 to 1, [A]."""
    neighbour_shares: NDArray[np.float32]
    """Shares of the nearest neighbours with the same predicted class, [A]."""
    stabilities: NDArray[np.float32]
    """Shares of the earlier epochs with the same predicted class, [A]."""
    embeddings: LatentVectors
    """Latent vectors in the metric space, [A, z_dim]."""

    def select_rows(self, rows: Indices) -> ModelEvidence:
        """Return the opinions about the images at these positions."""
        return ModelEvidence(*(getattr(self, name)[rows] for name in self.__slots__))

    def describe_labels(self, class_ids: NDArray[np.int64]) -> Evidence:
        """Return what speaks for the labels [A]; against a label that is not predicted, the signs are reversed."""
        is_predicted = class_ids == self.class_ids
        leads = np.where(is_predicted, self.leads, -self.leads)
        graph_leads = np.where(class_ids == self.graph_class_ids, self.graph_leads, -self.graph_leads)
        shares = np.where(is_predicted, self.neighbour_shares, 1 - self.neighbour_shares)
        stabilities = np.where(is_predicted, self.stabilities, 1 - self.stabilities)
        return Evidence(np.stack([leads, graph_leads, shares, stabilities], axis=1).astype(np.float32))


def collect_model_evidence(
    store: ArtifactStore,
    repository: SessionRepository,
    load_round: RoundLoader,
    epoch: int,
    predictions: tuple[Predictions, Predictions],
    train_val_split: TrainValSplit,
) -> Generator[Progress, None, ModelEvidence]:
    """Return the opinions of the networks after an epoch, whose predictions for training and held-out images are given.

    Answers that were made after the training of these networks play no part, so that the evidence does not depend on
    them. Yields progress.
    """
    config, train_predictions, held_out_predictions = repository.config, *predictions
    canonical = np.array(repository.load_class_list().canonical)
    metric = config.cluster.distance_metric
    embeddings = to_metric_space(train_predictions.latents, metric)
    distinct_images = train_val_split.select_distinct_training_images()
    labelled_set = _collect_labelled_set(repository, load_round, find_round_of_epoch(config.training, epoch) or 0)
    class_ids = train_predictions.class_ids
    graph_classes, graph_leads, shares = yield from _ask_graph(
        config, epoch, embeddings, distinct_images, labelled_set, class_ids, canonical
    )
    stabilities = _measure_stability(store, repository, config, epoch, class_ids, canonical)
    held_out_embeddings = to_metric_space(held_out_predictions.latents, metric)
    neighbours = _find_neighbours(held_out_embeddings, embeddings, config.threads)  # [V, K]
    is_equal = class_ids[neighbours] == held_out_predictions.class_ids[:, None]
    held_out_graph_classes, held_out_graph_leads = _vote(graph_classes[neighbours], graph_leads[neighbours])
    count = len(class_ids) + len(held_out_embeddings)

    def join(train_values: NDArray[ScalarT], held_out_values: NDArray[ScalarT]) -> NDArray[ScalarT]:
        values = np.empty((count, *train_values.shape[1:]), train_values.dtype)
        values[train_val_split.train_indices] = train_values
        values[train_val_split.validation_indices] = held_out_values
        return values

    return ModelEvidence(
        class_ids=join(class_ids, held_out_predictions.class_ids),
        second_class_ids=join(train_predictions.second_class_ids, held_out_predictions.second_class_ids),
        leads=join(train_predictions.leads, held_out_predictions.leads),
        graph_class_ids=join(graph_classes, held_out_graph_classes),
        graph_leads=join(graph_leads, held_out_graph_leads),
        neighbour_shares=join(shares, is_equal.mean(axis=1, dtype=np.float32)),
        stabilities=join(stabilities, stabilities[neighbours].mean(axis=1)),
        embeddings=join(embeddings, held_out_embeddings),
    )


def _collect_labelled_set(repository: SessionRepository, load_round: RoundLoader, last_round: int) -> LabelledSet:
    """Return the images that were labelled up to a round, with the answers made by then, by the classes of today."""
    labelled_set = concat_labelled_sets(
        [load_round(number, last_round).collect_labelled_set() for number in range(1, last_round + 1)]
    )
    canonical = np.array(repository.load_class_list().canonical)
    return replace(labelled_set, class_ids=canonical[labelled_set.class_ids])


def _ask_graph(
    config: Config,
    epoch: int,
    embeddings: LatentVectors,
    distinct_images: DistinctImages,
    labelled_set: LabelledSet,
    predicted_class_ids: NDArray[np.uint8],
    canonical: NDArray[np.int64],
) -> Generator[Progress, None, tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]]:
    """Return the classes by propagation, their leads, and the shares of neighbours predicted alike, 3 x [N]."""
    seed = rng.derive_seed(config.seed, "evidence graph", epoch)
    graph = yield from label_propagation.build_knn_graph(
        distinct_images.select(embeddings), config.propagation, seed, config.threads
    )
    active_class_ids = np.unique(canonical)
    labelled_set = replace(
        labelled_set,
        indices=distinct_images.positions[labelled_set.indices],
        class_ids=np.searchsorted(active_class_ids, labelled_set.class_ids),
    )
    probabilities = yield from label_propagation.run_poisson_learning(graph, labelled_set, len(active_class_ids))
    second, first = np.partition(probabilities, -2, axis=1)[:, -2:].T
    class_ids = active_class_ids[probabilities.argmax(axis=1)].astype(np.uint8)
    shares = label_propagation.measure_neighbour_shares(graph, distinct_images.select(predicted_class_ids))
    expand = distinct_images.expand
    return expand(class_ids), expand(first - second), expand(shares)


def _measure_stability(
    store: ArtifactStore,
    repository: SessionRepository,
    config: Config,
    epoch: int,
    class_ids: NDArray[np.uint8],
    canonical: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Return for each image the share of the earlier epochs with labels that predicted its class, [N]; 1 without any.

    An epoch whose file is lost does not count.
    """
    equal_counts: NDArray[np.float32] = np.zeros(len(class_ids), np.float32)
    epoch_count = 0
    for earlier_epoch in range(config.training.warmup_epochs + 1, epoch):
        name = file_names.predictions_name(earlier_epoch)
        if repository.find_fingerprint(name):
            with suppress(ArtifactLostError):
                predictions = stored_arrays.load_arrays(store, name, EpochPredictions)
                equal_counts += canonical[predictions.class_ids] == class_ids
                epoch_count += 1
    if not epoch_count:
        return np.ones(len(class_ids), np.float32)
    equal_counts /= epoch_count
    return equal_counts


def _find_neighbours(vectors: LatentVectors, candidates: LatentVectors, threads: int) -> NDArray[np.int64]:
    """Return the positions of the nearest candidates [N, z_dim] of vectors [V, z_dim], [V, <= HELD_OUT_NEIGHBOURS]."""
    count = min(HELD_OUT_NEIGHBOURS, len(candidates))
    nearest, distances = np.empty((len(vectors), 0), np.int64), np.empty((len(vectors), 0), np.float32)
    squares = (vectors**2).sum(axis=1)[:, None]
    for start in range(0, len(candidates), CHUNK_IMAGES):
        chunk = candidates[start : start + CHUNK_IMAGES]
        with threadpool_limits(limits=threads or None):
            chunk_distances = squares - 2 * vectors @ chunk.T + (chunk**2).sum(axis=1)  # [V, <= CHUNK_IMAGES]
        positions = np.broadcast_to(np.arange(start, start + len(chunk)), chunk_distances.shape)
        distances, nearest = np.hstack([distances, chunk_distances]), np.hstack([nearest, positions])
        order = np.argsort(distances, axis=1, kind="stable")[:, :count]
        distances, nearest = np.take_along_axis(distances, order, 1), np.take_along_axis(nearest, order, 1)
    return nearest


def _vote(class_ids: NDArray[np.uint8], weights: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the class with the largest sum of weights in each row [V, K], and its share less that of the others."""
    sums = (weights[:, :, None] * (class_ids[:, :, None] == class_ids[:, None, :])).sum(axis=1)  # [V, K]
    best = sums.argmax(axis=1)[:, None]
    winners = np.take_along_axis(class_ids, best, 1)[:, 0]
    best_sums = np.take_along_axis(sums, best, 1)[:, 0]
    leads = np.maximum(2 * best_sums - weights.sum(axis=1), 0) / max(weights.shape[1], 1)
    return winners, leads.astype(np.float32)

"""Evidence for the class of every image, from the networks, propagated answers and earlier epochs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from vaetui.engine.answers import ClassAnswer
from vaetui.engine.calibration import Evidence, SessionFacts, SessionKind, build_evidence
from vaetui.engine.clusters import Indices, LatentVectors, to_metric_space
from vaetui.engine.config import Config, find_epoch_before_round, find_round_of_epoch
from vaetui.engine.duplicates import ScalarT
from vaetui.engine.label_propagation import MARGIN_POWER
from vaetui.session.label_propagator import LabelPropagator
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import EpochPredictions, RoundSnapshot, TrainValSplit

if TYPE_CHECKING:
    from vaetui.engine.inference import Predictions  # imports torch

CHUNK_IMAGES = 1 << 16
"""Images whose neighbours are compared at a time."""
HELD_OUT_NEIGHBOURS = 6
"""Training images whose evidence a held-out image shares, as many as the anchors of the graph."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelEvidence:
    """The opinions about A images: training and held-out images in file order."""

    class_ids: NDArray[np.uint8]
    """Classes predicted by the classifier, [A]."""
    second_class_ids: NDArray[np.uint8]
    """Second most probable classes, [A]."""
    leads: NDArray[np.float32]
    """Leads of the predicted classes over the second ones, in log probability, [A]."""
    propagated_class_ids: NDArray[np.uint8]
    """Classes by the propagated answers that the networks were trained on, [A]."""
    propagated_leads: NDArray[np.float32]
    """Their leads over the second ones, 0 to 1, [A]; 0 where nothing was propagated."""
    stabilities: NDArray[np.float32]
    """Shares of the earlier epochs with the same predicted class, [A]."""
    embeddings: LatentVectors
    """Latent vectors in the metric space, [A, z_dim]."""

    def select_rows(self, rows: Indices) -> ModelEvidence:
        """Return the opinions about the images at these positions."""
        if np.array_equal(rows, np.arange(len(self.class_ids))):
            return self  # no image is a copy: the embeddings of millions of images take gigabytes
        return ModelEvidence(*(getattr(self, field.name)[rows] for field in fields(self)))

    def describe_labels(self, class_ids: NDArray[np.int64], facts: SessionFacts) -> Evidence:
        """Return what speaks for the labels [A]; against a label that is not predicted, the signs are reversed."""
        is_predicted = class_ids == self.class_ids
        return build_evidence(
            np.where(is_predicted, self.leads, -self.leads),
            np.where(class_ids == self.propagated_class_ids, self.propagated_leads, -self.propagated_leads),
            np.where(is_predicted, self.stabilities, 1 - self.stabilities),
            facts,
        )


def collect_model_evidence(
    store: ArtifactStore,
    repository: SessionRepository,
    epoch: int,
    predictions: tuple[Predictions, Predictions],
    train_val_split: TrainValSplit,
) -> ModelEvidence:
    """Return the opinions of the networks after an epoch, whose predictions for training and held-out images are given.

    Answers that were made after the training of these networks play no part, so that the evidence does not depend on
    them. Held-out images get the evidence that exists only for training images from their nearest neighbours.
    """
    config, train_predictions, held_out_predictions = repository.config, *predictions
    canonical = np.array(repository.load_class_list().canonical)
    metric = config.cluster.distance_metric
    embeddings = to_metric_space(train_predictions.latents, metric)
    held_out_embeddings = to_metric_space(held_out_predictions.latents, metric)
    neighbours = _find_neighbours(held_out_embeddings, embeddings, config.threads)  # [V, K]
    stabilities = measure_stability(store, repository, epoch, train_predictions.class_ids)
    propagated_class_ids, propagated_leads = _load_propagated(store, repository, epoch, canonical, len(embeddings))
    held_out_propagated = _vote(propagated_class_ids[neighbours], propagated_leads[neighbours])
    count = len(embeddings) + len(held_out_embeddings)

    def join(train_values: NDArray[ScalarT], held_out_values: NDArray[ScalarT]) -> NDArray[ScalarT]:
        values = np.empty((count, *train_values.shape[1:]), train_values.dtype)
        values[train_val_split.train_indices] = train_values
        values[train_val_split.validation_indices] = held_out_values
        return values

    return ModelEvidence(
        class_ids=join(train_predictions.class_ids, held_out_predictions.class_ids),
        second_class_ids=join(train_predictions.second_class_ids, held_out_predictions.second_class_ids),
        leads=join(train_predictions.leads, held_out_predictions.leads),
        propagated_class_ids=join(propagated_class_ids, held_out_propagated[0]),
        propagated_leads=join(propagated_leads, held_out_propagated[1]),
        stabilities=join(stabilities, stabilities[neighbours].mean(axis=1)),
        embeddings=join(embeddings, held_out_embeddings),
    )


def collect_facts(
    repository: SessionRepository, propagator: LabelPropagator, epoch: int, predicted_class_ids: NDArray[np.uint8]
) -> SessionFacts:
    """Compare the answers that an epoch trained on with its predictions for the training images, [N]."""
    last_round = find_round_of_epoch(repository.config.training, epoch) or 0
    classes = repository.load_class_list()
    canonical = np.array(classes.canonical)
    later_images = later_matches = labelled_images = labelled_matches = 0
    for round_number in range(1, last_round + 1):
        labels = propagator.load_round_labels(round_number, last_round)
        class_ids = canonical[labels.labelled_set.class_ids]
        labelled_images += len(class_ids)
        labelled_matches += int(np.count_nonzero(predicted_class_ids[labels.labelled_set.indices] == class_ids))
        if round_number > 1:  # before the first round, the networks had learned no class
            later_images += len(class_ids)
            later_matches += int(np.count_nonzero(canonical[labels.predicted_class_ids] == class_ids))
    answers = [record.answer for record in repository.list_effective_answers(last_round)]
    class_answer_count = sum(isinstance(answer, ClassAnswer) for answer in answers)
    return SessionFacts(
        later_images,
        later_matches,
        labelled_images,
        labelled_matches,
        len(answers),
        class_answer_count,
        _find_kind(repository.config),
    )


def _find_kind(config: Config) -> SessionKind:
    if config.network.inputs == "vectors":
        return "vectors"
    return "narrowing" if config.cluster.uncertainty_factor else "images"


def expect_accuracy(
    store: ArtifactStore,
    repository: SessionRepository,
    propagator: LabelPropagator,
    epoch: int,
    predictions: Predictions,
) -> float | None:
    """Return the mean uncalibrated confidence of the training images after an epoch; None if it had no labels."""
    confidences = estimate_confidences(store, repository, propagator, epoch, predictions.class_ids, predictions.leads)
    return None if confidences is None else float(confidences.mean(dtype=np.float64))


def estimate_confidences(
    store: ArtifactStore,
    repository: SessionRepository,
    propagator: LabelPropagator,
    epoch: int,
    class_ids: NDArray[np.uint8],
    leads: NDArray[np.float32],
) -> NDArray[np.float32] | None:
    """Return the uncalibrated confidences of the predictions for the training images, [N]; None without labels.

    `class_ids` and `leads` [N] are those of the predictions after an epoch.
    """
    if find_round_of_epoch(repository.config.training, epoch) is None:
        return None
    facts = collect_facts(repository, propagator, epoch, class_ids)
    if not facts.labelled_images:
        return None
    stabilities = measure_stability(store, repository, epoch, class_ids)
    return build_evidence(leads, np.zeros_like(leads), stabilities, facts).uncalibrated_confidences


def measure_stability(
    store: ArtifactStore, repository: SessionRepository, epoch: int, class_ids: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Return for each image the share of the earlier epochs with labels that predicted its class, [N]; 1 without any.

    Where an epoch stored no predictions, those at the beginning of the next round count; a lost file does not count.
    """
    training, canonical = repository.config.training, np.array(repository.load_class_list().canonical)
    round_by_epoch = {
        find_epoch_before_round(training, number): number for number, _, _ in repository.list_rounds() if number > 1
    }
    equal_counts: NDArray[np.float32] = np.zeros(len(class_ids), np.float32)
    epoch_count = 0
    for earlier_epoch in range(training.warmup_epochs + 1, epoch):
        with suppress(ArtifactLostError):
            if repository.find_fingerprint(name := file_names.predictions_name(earlier_epoch)):
                predicted_class_ids = stored_arrays.load_arrays(store, name, EpochPredictions).class_ids
            elif earlier_epoch in round_by_epoch:
                name = file_names.round_snapshot_name(round_by_epoch[earlier_epoch])
                predicted_class_ids = stored_arrays.load_arrays(store, name, RoundSnapshot).predicted_class_ids
            else:
                continue
            equal_counts += canonical[predicted_class_ids] == class_ids
            epoch_count += 1
    if not epoch_count:
        return np.ones(len(class_ids), np.float32)
    equal_counts /= epoch_count
    return equal_counts


def _load_propagated(
    store: ArtifactStore, repository: SessionRepository, epoch: int, canonical: NDArray[np.int64], count: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the propagated classes that an epoch trained on, and their leads, 2 x [N]; leads of 0 if not stored."""
    name = file_names.predictions_name(epoch)
    if repository.find_fingerprint(name):
        with suppress(ArtifactLostError):
            predictions = stored_arrays.load_arrays(store, name, EpochPredictions)
            leads = predictions.propagated_weights ** np.float32(1 / MARGIN_POWER)
            return canonical[predictions.propagated_class_ids].astype(np.uint8), leads
    return np.zeros(count, np.uint8), np.zeros(count, np.float32)


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
        kept = min(count, distances.shape[1])
        order = np.argpartition(distances, kept - 1, axis=1)[:, :kept]
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

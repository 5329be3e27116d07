"""Train, evaluate, cluster and split: the slow operations of a session."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from vaetui.cpu_threads import count_default_threads
from vaetui.engine import rng, train_state
from vaetui.engine.clusters import (
    CentrePictures,
    Cluster,
    Indices,
    LatentVectors,
    average_members,
    order_members,
    to_metric_space,
)
from vaetui.engine.config import Config, count_steps_per_epoch, decodes_centres, decodes_images
from vaetui.engine.device_inputs import DeviceImages, DeviceInputs, put_on_device
from vaetui.engine.distributed import SINGLE, World
from vaetui.engine.duplicates import DistinctImages
from vaetui.engine.events import (
    BatchesTrained,
    Clustered,
    EpochEnded,
    Event,
    Losses,
    Progress,
    Reconstructed,
    Saved,
)
from vaetui.engine.image_views import Components, ViewComponents, fit_hidden_components, fit_pixel_components
from vaetui.engine.inference import Predictions, decode_latents, reconstruct_images
from vaetui.engine.kmeans import choose_k
from vaetui.engine.label_propagation import compute_uncertainty
from vaetui.engine.metrics import pixel_accuracy
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.query_strategy import cluster_all_images, cluster_uncertain_images, count_clusters
from vaetui.engine.slow_calls import run_in_background
from vaetui.errors import format_count
from vaetui.session import checkpoints, ranks, schedule
from vaetui.session.centre_pictures import draw_nearest_images
from vaetui.session.data_split import SessionImages
from vaetui.session.image_answers import load_image_labels, map_image_labels
from vaetui.session.labelling_round import LabellingRound
from vaetui.session.learned_classes import find_unanswered_class_ids
from vaetui.session.ranks import RankCommands
from vaetui.session.thread_placement import adapt_threads
from vaetui.storage import file_names, stored_arrays
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.stored_arrays import EpochPredictions, Reconstructions, RoundSnapshot, SplitSnapshot

CHECKPOINT_INTERVAL_S = 10.0
"""Seconds of training between two checkpoints: a crash loses no more, and writing one takes hundredths of a second."""
RECONSTRUCTION_INTERVAL_S = 3.0
"""Seconds of training between two reconstructions of a few images."""
PREVIEW_IMAGES = 16
"""Validation images in such a reconstruction."""
PriorProbabilities: TypeAlias = Callable[
    [Config, int, LatentVectors, DistinctImages], Generator[Progress, None, NDArray[np.float32]]
]
"""Function from round number and embeddings [N, z_dim] to class probabilities by earlier answers, [N, classes]."""
AccuracyEstimator: TypeAlias = Callable[[int, Predictions], float | None]
"""Function from an epoch and its predictions for the training images to the expected share of right ones."""
TestScorer: TypeAlias = Callable[[NDArray[np.uint8]], float]
"""Function from predicted classes of the test images, [N], to their accuracy."""


class Trainer:
    """The networks of a session at one point of its run, with the images to learn from."""

    def __init__(
        self,
        store: ArtifactStore,
        repository: SessionRepository,
        config: Config,
        images: SessionImages,
        world: World | None = None,
    ) -> None:
        """Build the networks and restore the newest intact checkpoint.

        This process is the first of the `world`; None if it trains alone.
        """
        world = world or SINGLE
        self._store = store
        self._repository = repository
        if not config.threads:
            # The bits depend on the number of threads: record that of the first process for all later ones.
            config = replace(config, threads=count_default_threads(torch.get_num_threads()))
        thread_count = ranks.limit_threads(config, world)
        self.config = config
        """The configuration, with the number of threads."""
        self.images = images
        """The images of the session."""
        inputs = images.network_inputs
        checkpoints.require_device(store, repository, config)
        self._state = checkpoints.create_epoch_state(0, config, repository)
        if config != repository.config:
            repository.save_config(config)  # only now is the device known to exist
        device = self._state.device.type
        self.device_name = f"cpu, {format_count(thread_count, 'thread')}" if device == "cpu" else device
        """The device in use, such as "cpu, 2 threads"."""
        if world.size > 1:
            self.device_name = f"{world.size} processes of {self.device_name}"
        self._distinct_images = images.train_val_split.select_distinct_training_images()
        self._train_inputs = put_on_device(inputs.train, self._state.device, config.network)
        self._validation_inputs = put_on_device(inputs.validation, self._state.device, config.network)
        self._test_inputs = (
            None if inputs.test is None else put_on_device(inputs.test, self._state.device, config.network)
        )
        self._decodes_images = decodes_images(config.network)
        self._decoded_images = None
        if self._decodes_images and images.vectors is not None:
            self._decoded_images = DeviceImages(images.train, self._state.device)
        self._pixel_components: Components | None = None
        self._cached_predictions: tuple[tuple[object, ...], Predictions] | None = None
        self._state, self._epoch, self._step = checkpoints.restore_checkpoint(store, repository, config, inputs.train)
        self._commands = RankCommands(world)
        self._commands.open_data(repository, config, device, images.train_val_split)

    @property
    def last_trained_epoch(self) -> int:
        """The last epoch that the networks completed."""
        steps_per_epoch = count_steps_per_epoch(self.config.training, len(self.images.train), self._epoch)
        return self._epoch if self._step >= steps_per_epoch else self._epoch - 1

    @property
    def is_within_epoch(self) -> bool:
        """Whether an epoch has begun and is not completed."""
        return self._step > 0 and self.last_trained_epoch < self._epoch

    def train_epoch(
        self, epoch: int, pseudo_labels: PseudoLabels | None, on_batches: Callable[[BatchesTrained], None]
    ) -> Iterator[Event]:
        """Train the rest of an epoch; closing the iterator saves a checkpoint.

        `on_batches` is called with every training event before it is yielded.
        """
        if self._epoch != epoch:
            self._epoch, self._step = epoch, 0
            config = schedule.config_for_epoch(epoch, self.config, self._repository)  # classes may have been added
            self._state = train_state.expand_classifier(
                self._state, config, self._repository.input_shape, self.images.train.shape
            )
        if self._decodes_images:
            yield self._reconstruct_validation(PREVIEW_IMAGES)
        unsaved_events: list[BatchesTrained] = []
        saved_at = reconstructed_at = time.monotonic()
        evals_per_epoch = self.config.training.evals_per_epoch
        try:
            batches = self._commands.train_epoch(
                self._state, self._train_inputs, pseudo_labels, self.config, epoch, self._step, self._decoded_images
            )
            for event in adapt_threads(batches, self._state.device):
                previous_step, self._step = self._step, event.step
                unsaved_events.append(event)
                on_batches(event)
                yield event
                if time.monotonic() - saved_at >= CHECKPOINT_INTERVAL_S:
                    self._save_checkpoint(unsaved_events)
                    saved_at = time.monotonic()
                    yield Saved()
                if not self._decodes_images:
                    continue
                previous_eval = evals_per_epoch * previous_step // event.steps_per_epoch
                current_eval = evals_per_epoch * event.step // event.steps_per_epoch
                if previous_eval < current_eval < evals_per_epoch:  # `evaluate` does the last one
                    yield self._reconstruct_validation(eval_number=(epoch - 1) * evals_per_epoch + current_eval)
                if time.monotonic() - reconstructed_at >= RECONSTRUCTION_INTERVAL_S:
                    yield self._reconstruct_validation(PREVIEW_IMAGES)
                    reconstructed_at = time.monotonic()
        except GeneratorExit:
            # Closed at an event, networks and step match; after an error between two events they would not.
            if unsaved_events:
                self._save_checkpoint(unsaved_events)
            raise
        self._save_checkpoint(unsaved_events)
        yield Saved()

    def evaluate_epoch(
        self,
        epoch: int,
        pseudo_labels: PseudoLabels | None,
        answer_count: int,
        scorer: TestScorer | None,
        expect_accuracy: AccuracyEstimator,
    ) -> Iterator[Event]:
        """Measure the networks after an epoch and record the metrics; `scorer` rates the test predictions.

        `pseudo_labels` are those that the epoch trained on. `expect_accuracy` estimates how many predictions for the
        training images are right.
        """
        test_accuracy = None
        if self._test_inputs is not None and scorer is not None:
            test_predictions = yield from self._predict(self._test_inputs, "test", epoch)
            test_accuracy = scorer(test_predictions.class_ids)
        fingerprints, reconstructed, reconstruction_accuracy = [], None, None
        if self._decodes_images:
            reconstructed = self._reconstruct_validation(eval_number=epoch * self.config.training.evals_per_epoch)
            reconstruction_accuracy = pixel_accuracy(reconstructed.originals, reconstructed.reconstructions)
            name, images = file_names.reconstructions_name(epoch), Reconstructions(reconstructed.reconstructions)
            fingerprints.append(stored_arrays.save_arrays(self._store, name, images))
        prediction_churn = mean_confidence = expected_accuracy = None
        if self.config.propagation.method == "graph":
            predictions = yield from self._predict_training_images(epoch)
            measure_churn = partial(self._measure_prediction_churn, epoch, predictions)
            prediction_churn = yield from run_in_background("comparing predictions", measure_churn)
            mean_confidence = float(predictions.confidences.mean())
            expect = partial(expect_accuracy, epoch, predictions)
            expected_accuracy = yield from run_in_background("estimating the accuracy", expect)
            if pseudo_labels is None:
                count = len(predictions.class_ids)
                pseudo_labels = PseudoLabels(np.zeros(count, np.int64), np.zeros(count, np.float32))
            arrays = EpochPredictions(
                predictions.class_ids,
                predictions.confidences,
                predictions.leads,
                pseudo_labels.class_ids.astype(np.uint8),
                pseudo_labels.weights,
            )
            name, activity = file_names.predictions_name(epoch), "saving the predictions"
            fingerprints.append((yield from stored_arrays.save_large_arrays(self._store, name, arrays, activity)))
        loss_rows = [row for row in self._repository.list_losses() if row[0] == epoch]
        batch_counts = np.diff([0, *(step for _, step, _, _ in loss_rows)])
        losses = np.average([losses for *_, losses, _ in loss_rows], axis=0, weights=batch_counts)
        event = EpochEnded(
            epoch,
            Losses(*losses.tolist()),
            test_accuracy,
            reconstruction_accuracy,
            pseudo_labels.label_coverage if pseudo_labels else 0.0,
            answer_count,
            sum(seconds for *_, seconds in loss_rows),
            prediction_churn=prediction_churn,
            mean_confidence=mean_confidence,
            expected_accuracy=expected_accuracy,
        )
        self._repository.record_epoch(event, *fingerprints)
        yield event
        if reconstructed is not None:
            yield reconstructed

    def cluster_for_round(
        self, round_number: int, epoch: int, prior_probabilities: PriorProbabilities
    ) -> Iterator[Event]:
        """Cluster the images, draw the centres and record the snapshot that begins a round.

        Each distinct image is clustered once, with the number of its copies as weight, and its copies belong to its
        cluster. From the second round on, the uncertain-images strategy selects the images by `prior_probabilities`.
        """
        config, seed = self.config, rng.derive_seed(self.config.seed, "clusters", round_number)
        device = self._state.device
        predictions, distinct_images = (yield from self._predict_training_images(epoch)), self._distinct_images
        all_embeddings = yield from self._to_embeddings(predictions)
        select = partial(distinct_images.select, all_embeddings)
        embeddings = yield from run_in_background("preparing the clustering", select)  # [U, E]
        copy_counts = distinct_images.copy_counts  # [U]
        class_count = len(self._repository.load_class_list().active_ids)
        k = count_clusters(config.cluster, class_count, len(embeddings))
        inertias: tuple[tuple[int, float], ...] = ()
        if k is None:
            elbow_seed = rng.derive_seed(config.seed, "elbow", round_number)
            k, inertias = yield from choose_k(embeddings, config.cluster, elbow_seed, copy_counts)
            k = min(k, len(embeddings))
        if round_number > 1 and config.cluster.query_strategy == "uncertain":
            probabilities = yield from prior_probabilities(config, round_number, all_embeddings, distinct_images)
            measure = partial(compute_uncertainty, probabilities, predictions.class_ids, predictions.confidences)
            uncertainties = yield from run_in_background("measuring uncertainty", measure)
            del probabilities, measure
            find_answered = partial(self._find_answered_images, round_number)
            is_answered = yield from run_in_background("measuring uncertainty", find_answered)
            assignments, centres = yield from cluster_uncertain_images(
                embeddings,
                distinct_images.select(uncertainties),
                distinct_images.select(is_answered),
                k,
                config.cluster,
                seed,
                copy_counts,
                device,
                has_unanswered_class=bool(find_unanswered_class_ids(self._repository)),
            )
        else:
            assignments, centres = yield from cluster_all_images(embeddings, k, seed, copy_counts, device)
        assignments = distinct_images.expand(assignments)  # [N]
        members = np.arange(len(assignments))
        pictures = yield from self._draw_centres(predictions.latents, all_embeddings, members, assignments, centres)
        order = partial(order_members, all_embeddings, assignments, centres)
        ordered_members, distances = yield from run_in_background("sorting the members of the clusters", order)
        snapshot = RoundSnapshot(
            predictions.latents,
            all_embeddings[:, :0] if predictions.views is None else all_embeddings,
            predictions.class_ids,
            assignments,
            ordered_members,
            distances,
            centres,
            pictures.centre_images,
            pictures.mean_images,
        )
        name = file_names.round_snapshot_name(round_number)
        fingerprint = yield from stored_arrays.save_large_arrays(self._store, name, snapshot, "saving the clusters")
        event = Clustered(round_number, len(centres), inertias)
        self._repository.record_round_start(event, fingerprint)
        yield event

    def embed_training_images(self, epoch: int) -> Generator[Progress, None, LatentVectors]:
        """Return the training images after an epoch in the space of the graph, [N, E]; yields progress."""
        return (yield from self._to_embeddings((yield from self._predict_training_images(epoch))))

    def _to_embeddings(self, predictions: Predictions) -> Generator[Progress, None, LatentVectors]:
        if predictions.views is not None:
            return predictions.views
        convert = partial(to_metric_space, predictions.latents, self.config.cluster.distance_metric)
        return (yield from run_in_background("preparing the embeddings", convert))

    def _find_answered_images(self, last_round: int) -> NDArray[np.bool_]:
        """Return for each training image whether it or a copy has an answer of its own up to a round, [N]."""
        image_labels, split = load_image_labels(self._repository, self._store, last_round), self.images.train_val_split
        return map_image_labels(image_labels, split.first_copies).has_answer[split.train_indices]

    def split_cluster(
        self, cluster: Cluster, part_count: int, labelling_round: LabellingRound
    ) -> Generator[Progress, None, SplitSnapshot]:
        """Split a cluster of a round by k-means and draw the centres of its parts; yields progress."""
        latents = labelling_round.snapshot.latents[cluster.members]
        embeddings = labelling_round.select_embeddings(cluster.members)
        distinct_members = self._distinct_images.restrict(cluster.members)
        seed = rng.derive_seed(self.config.seed, "split", labelling_round.round_number, *cluster.path, part_count)
        distinct_embeddings, copy_counts = distinct_members.select(embeddings), distinct_members.copy_counts
        assignments, centres = yield from cluster_all_images(
            distinct_embeddings, part_count, seed, copy_counts, self._state.device
        )
        assignments = distinct_members.expand(assignments)
        pictures = yield from self._draw_centres(latents, embeddings, cluster.members, assignments, centres)
        return SplitSnapshot(assignments, centres, pictures.centre_images, pictures.mean_images)

    def predict_all(
        self, epoch: int, allowed_class_ids: tuple[int, ...]
    ) -> Generator[Progress, None, tuple[Predictions, Predictions]]:
        """Return the predictions for training and validation images after an epoch; yields progress.

        Only the allowed classes are predicted.
        """
        train_predictions = yield from self._predict_training_images(epoch, allowed_class_ids)
        return train_predictions, (
            yield from self._predict(self._validation_inputs, "held-out", epoch, allowed_class_ids)
        )

    def _predict_training_images(
        self, epoch: int, allowed_class_ids: tuple[int, ...] | None = None
    ) -> Generator[Progress, None, Predictions]:
        """Return the predictions for the training images, equal ones for copies.

        They are cached until the epoch, the merged classes or the allowed classes change.
        """
        canonical = self._repository.load_class_list().canonical
        if allowed_class_ids is not None:
            is_restricted = not {*canonical[: self._state.vae.classifier.out_features]} <= {*allowed_class_ids}
            allowed_class_ids = allowed_class_ids if is_restricted else None  # all classes are as good as no choice
        key = epoch, canonical, allowed_class_ids
        if self._cached_predictions is None or self._cached_predictions[0] != key:
            components = None
            if self.config.network.clustered == "views":
                if self._pixel_components is None:
                    yield Progress("comparing pixels", 0, 1)  # not in the background, because a GPU may hold them
                    self._pixel_components = fit_pixel_components(self._train_inputs, self.config)
                hidden = fit_hidden_components(self._state.vae, self._train_inputs, self.config, epoch)
                components = ViewComponents(*hidden, *self._pixel_components)
            predictions = yield from self._predict(self._train_inputs, "training", epoch, allowed_class_ids, components)
            equalise = partial(predictions.equalise_copies, self._distinct_images)
            self._cached_predictions = key, (yield from run_in_background("comparing copies", equalise))
        return self._cached_predictions[1]

    def _predict(
        self,
        inputs: DeviceInputs,
        subset_name: str,
        epoch: int,
        allowed_class_ids: tuple[int, ...] | None = None,
        view_components: ViewComponents | None = None,
    ) -> Generator[Progress, None, Predictions]:
        canonical = self._repository.load_class_list().canonical
        return self._commands.encode_and_classify(
            *(self._state, inputs, self.config, subset_name, epoch, canonical, allowed_class_ids),
            view_components,
        )

    def _measure_prediction_churn(self, epoch: int, predictions: Predictions) -> float | None:
        """Return the share of training images whose predicted class changed since the previous epoch.

        None if the classifier had no labels in the previous epoch.
        """
        if epoch <= self.config.training.warmup_epochs + 1:
            return None
        with suppress(ArtifactLostError):  # a lost file only costs one metric
            previous = stored_arrays.load_arrays(self._store, file_names.predictions_name(epoch - 1), EpochPredictions)
            canonical = np.array(self._repository.load_class_list().canonical)
            return float(np.mean(canonical[previous.class_ids] != predictions.class_ids))
        return None

    def _reconstruct_validation(self, count: int | None = None, eval_number: int | None = None) -> Reconstructed:
        """Reconstruct the first validation images, or all of them."""
        reconstructions = reconstruct_images(self._state.vae, self._validation_inputs.load(slice(count)))
        return Reconstructed(self.images.validation[:count], reconstructions, eval_number)

    def _draw_centres(
        self,
        latents: LatentVectors,
        embeddings: LatentVectors,
        members: Indices,
        assignments: NDArray[np.int32],
        centres: LatentVectors,
    ) -> Generator[Progress, None, CentrePictures]:
        """Return the pictures of centres [K, E] to which `members` [M] of the training images are assigned, [M].

        `latents` [M, z_dim] and `embeddings` [M, E] are those of the members; `are_latents` says whether the latter are
        the former, in the space of the metric. Yields Progress.
        """
        first_copies = self._distinct_images.first_copies[members]
        draw = partial(draw_nearest_images, self.images.train, embeddings, members, first_copies, assignments, centres)
        pictures = yield from run_in_background("drawing the clusters", draw)
        if not decodes_centres(self.config.network):
            return pictures
        if self.config.cluster.distance_metric == "cosine" or self.config.network.clustered == "views":
            average = partial(average_members, latents, assignments, len(centres))
            centres = yield from run_in_background("drawing the clusters", average)
        return replace(pictures, centre_images=decode_latents(self._state.vae, centres))

    def _save_checkpoint(self, unsaved_events: list[BatchesTrained]) -> None:
        checkpoints.save_checkpoint(self._store, self._repository, self._state, self._epoch, self._step, unsaved_events)
        unsaved_events.clear()

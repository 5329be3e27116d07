"""The slow verbs of a session: train, measure, cluster, cut; it does not know what comes next or what was said."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from vaetui.engine import rng, training
from vaetui.engine.clusters import Cluster, LatentVectors, Pixels, decodable_centres, to_metric_space
from vaetui.engine.config import Config, count_steps
from vaetui.engine.dataset import Dataset
from vaetui.engine.events import BatchesTrained, Clustered, EpochEnded, Event, Losses, Progress, Reconstructed, Saved
from vaetui.engine.inference import Predictions, decode, predict, reconstruct
from vaetui.engine.kmeans import choose_k
from vaetui.engine.label_propagation import uncertainty
from vaetui.engine.metrics import pixel_accuracy
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.query_strategy import cluster_all, cluster_uncertain
from vaetui.session import checkpoints, schedule
from vaetui.session.data_split import SessionImages
from vaetui.storage import file_names, round_snapshots
from vaetui.storage.artifact_store import ArtifactLost, ArtifactStore
from vaetui.storage.repository import SessionRepository
from vaetui.storage.round_snapshots import EpochPredictions, Reconstructions, RoundSnapshot, SplitSnapshot

CHECKPOINT_INTERVAL_S = 10.0
"""Training between two checkpoints: a crash costs no more, and writing one takes some hundredths of a second."""
RECONSTRUCTION_INTERVAL_S = 3.0
"""Training between two looks at the reconstructions."""
PriorProbabilities: TypeAlias = Callable[[Config, int, LatentVectors], Generator[Progress, None, NDArray[np.float32]]]
"""Tells for a round, from the places of all images, what the answers before it say of each, [N, classes]."""
TestScorer: TypeAlias = Callable[[NDArray[np.uint8]], float]
"""Tells from the classes found for the test images, [N], what share of them is right."""


class Trainer:
    """The networks of a session at one place of its run, with the images that they learn from."""

    def __init__(
        self, store: ArtifactStore, repository: SessionRepository, config: Config, images: SessionImages
    ) -> None:
        """Make the networks and put them where the last whole checkpoint left them."""
        self._store = store
        self._repository = repository
        if not config.threads:
            # The bits depend on the number of threads: what the first process found is kept for all that follow.
            config = replace(config, threads=torch.get_num_threads())
        torch.set_num_threads(config.threads)
        self.config = config
        self.images = images
        self._state = checkpoints.init_train_state(0, config, repository, images.train.shape)
        if config != repository.config:
            repository.save_config(config)  # now that its device is known to be there
        device = self._state.device.type
        self.device_name = f"cpu, {config.threads} thread{'s' * (config.threads > 1)}" if device == "cpu" else device
        self._train_images = Dataset(images.train, self._state.device)
        self._validation_images = Dataset(images.validation, self._state.device)
        self._test_images = None if images.test is None else Dataset(images.test, self._state.device)
        self._steps_per_epoch = count_steps(config.training, len(images.train))
        self._cached_predictions: tuple[tuple[int, tuple[int, ...]], Predictions] | None = None
        self._state, self._epoch, self._step = checkpoints.restore_checkpoint(
            store, repository, config, images.train.shape
        )

    @property
    def last_trained_epoch(self) -> int:
        """The last epoch that the networks have gone through to its end."""
        return self._epoch if self._step >= self._steps_per_epoch else self._epoch - 1

    def train(
        self, epoch: int, pseudo_labels: PseudoLabels | None, on_batches: Callable[[BatchesTrained], None]
    ) -> Iterator[Event]:
        """Train what is left of an epoch; whenever it is left, a checkpoint is written first.

        Every report is given to `heard` too, which may keep it.
        """
        if self._epoch != epoch:
            self._epoch, self._step = epoch, 0
            config = schedule.config_for_epoch(epoch, self.config, self._repository)  # classes may have been added
            self._state = training.expand_classes(self._state, config, self.images.train.shape)
        yield self.reconstruct_some()
        unsaved: list[BatchesTrained] = []
        saved = looked = time.monotonic()
        checks = self.config.training.evals_per_epoch
        try:
            for stepped in training.train(
                self._state, self._train_images, pseudo_labels, self.config, epoch, self._step
            ):
                before, self._step = self._step, stepped.step
                unsaved.append(stepped)
                on_batches(stepped)
                yield stepped
                if time.monotonic() - saved >= CHECKPOINT_INTERVAL_S:
                    self._save_checkpoint(unsaved)
                    saved = time.monotonic()
                    yield Saved()
                due = checks * stepped.step // stepped.steps_per_epoch
                if (
                    checks * before // stepped.steps_per_epoch < due < checks
                ):  # the last one is taken as the epoch is measured
                    yield self._reconstruct_all((epoch - 1) * checks + due)
                if time.monotonic() - looked >= RECONSTRUCTION_INTERVAL_S:
                    yield self.reconstruct_some()
                    looked = time.monotonic()
        except GeneratorExit:
            # Left at a report, where networks and place belong together; after a failure in between they would not.
            if unsaved:
                self._save_checkpoint(unsaved)
            raise
        self._save_checkpoint(unsaved)
        yield Saved()

    def evaluate(
        self, epoch: int, label_coverage: float, answer_count: int, scorer: TestScorer | None
    ) -> Iterator[Event]:
        """Measure the networks after an epoch, the test images by a judge where there is one, and record it."""
        test_accuracy = None
        if self._test_images is not None and scorer is not None:
            reading = yield from self._predict(self._test_images, "test", epoch)
            test_accuracy = scorer(reading.class_ids)
        checked = self._reconstruct_all(epoch * self.config.training.evals_per_epoch)
        stamps = [
            round_snapshots.save(
                self._store, file_names.reconstructions_name(epoch), Reconstructions(checked.reconstructions)
            )
        ]
        changed = expected = None
        if self.config.propagation.method == "neighbours":
            found = yield from self._predict_train(epoch)
            changed, expected = self._prediction_churn(epoch, found), float(found.confidences.mean())
            stamps.append(
                round_snapshots.save(
                    self._store,
                    file_names.predictions_name(epoch),
                    EpochPredictions(found.class_ids, found.confidences),
                )
            )
        figures = [figure for figure in self._repository.list_losses() if figure[0] == epoch]
        batches = np.diff([0, *(step for _, step, _, _ in figures)])
        losses = np.average([losses for *_, losses, _ in figures], axis=0, weights=batches)
        ended = EpochEnded(
            epoch,
            Losses(*losses.tolist()),
            test_accuracy,
            pixel_accuracy(checked.originals, checked.reconstructions),
            label_coverage,
            answer_count,
            sum(seconds for *_, seconds in figures),
            prediction_churn=changed,
            mean_confidence=expected,
        )
        self._repository.record_epoch(ended, *stamps)
        yield ended
        yield checked

    def reconstruct_some(self) -> Reconstructed:
        """Send the first held-out images through the networks as they are."""
        return Reconstructed(self.images.validation[:16], reconstruct(self._state.vae, self._validation_images[:16]))

    def _reconstruct_all(self, eval_number: int) -> Reconstructed:
        """Send all held-out images through the networks as they are."""
        return Reconstructed(
            self.images.validation[:], reconstruct(self._state.vae, self._validation_images[:]), eval_number
        )

    def cluster(self, round_number: int, epoch: int, prior_probabilities: PriorProbabilities) -> Iterator[Event]:
        """Cluster the latent vectors of the images to be asked, decode the centres, and keep it all as one photograph.

        What the answers `before` say tells which images are in doubt, where the recipe asks of those.
        """
        config, seed = self.config, rng.derive_seed(self.config.seed, "clusters", round_number)
        reading = yield from self._predict_train(epoch)
        spots = to_metric_space(reading.latents, config.cluster.distance_metric)
        k = config.cluster.clusters
        tried: tuple[tuple[int, float], ...] = ()
        if k is None:
            k, tried = yield from choose_k(spots, config.cluster, rng.derive_seed(config.seed, "elbow", round_number))
        k = min(k, len(spots))
        if round_number > 1 and config.cluster.query_strategy == "doubtful":
            found = yield from prior_probabilities(config, round_number, spots)
            doubts = uncertainty(found, reading.class_ids, reading.confidences)
            near, centres = yield from cluster_uncertain(spots, doubts, k, config.cluster, seed)
        else:
            near, centres = yield from cluster_all(spots, k, seed)
        pictures = self._decode_centres(reading.latents, near, centres)
        photograph = RoundSnapshot(reading.latents, reading.class_ids, near, centres, pictures)
        stamp = round_snapshots.save(self._store, file_names.round_snapshot_name(round_number), photograph)
        clustered = Clustered(round_number, len(centres), tried)
        self._repository.record_round_start(clustered, stamp)
        yield clustered

    def split_cluster(
        self, cluster: Cluster, part_count: int, snapshot: RoundSnapshot, round_number: int
    ) -> Generator[Progress, None, SplitSnapshot]:
        """Cut one cluster into parts by k-means, and decode their centres; yields its progress."""
        latents = snapshot.latents[cluster.members]
        seed = rng.derive_seed(self.config.seed, "split", round_number, *cluster.path, part_count)
        near, centres = yield from cluster_all(
            to_metric_space(latents, self.config.cluster.distance_metric), part_count, seed
        )
        return SplitSnapshot(near, centres, self._decode_centres(latents, near, centres))

    def predict_all(self, epoch: int) -> Generator[Progress, None, tuple[Predictions, Predictions]]:
        """Send the training images and those held out through encoder and classifier, as they are after an epoch."""
        train = yield from self._predict_train(epoch)
        return train, (yield from self._predict(self._validation_images, "held-out", epoch))

    def _predict_train(self, epoch: int) -> Generator[Progress, None, Predictions]:
        """Send the training images through encoder and classifier, once after each epoch and each merge of classes."""
        known = epoch, self._repository.load_class_list().canonical
        if self._cached_predictions is None or self._cached_predictions[0] != known:
            self._cached_predictions = known, (yield from self._predict(self._train_images, "training", epoch))
        return self._cached_predictions[1]

    def _predict(self, images: Dataset, subset_name: str, epoch: int) -> Generator[Progress, None, Predictions]:
        roots = self._repository.load_class_list().canonical
        return predict(self._state.vae, images, self.config, subset_name, epoch, canonical=roots)

    def _prediction_churn(self, epoch: int, predictions: Predictions) -> float | None:
        """Tell what share of the training images was called otherwise an epoch before, if there were labels then."""
        if epoch <= self.config.training.warmup_epochs + 1:
            return None
        with suppress(ArtifactLost):  # a figure less is no reason to stop
            before = round_snapshots.load(self._store, file_names.predictions_name(epoch - 1), EpochPredictions)
            return float(
                np.mean(
                    np.array(self._repository.load_class_list().canonical)[before.class_ids] != predictions.class_ids
                )
            )
        return None

    def _decode_centres(self, latents: LatentVectors, assignments: NDArray[np.int32], centres: LatentVectors) -> Pixels:
        """Decode centres of latent vectors."""
        return decode(
            self._state.vae, decodable_centres(latents, assignments, centres, self.config.cluster.distance_metric)
        )

    def _save_checkpoint(self, unsaved_events: list[BatchesTrained]) -> None:
        """Write a checkpoint with the reports that lead to it."""
        checkpoints.save_checkpoint(self._store, self._repository, self._state, self._epoch, self._step, unsaved_events)
        unsaved_events.clear()

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
from vaetui.engine.clusters import Cluster, Pixels, Vectors, placed, seen_centres
from vaetui.engine.config import Config, steps
from vaetui.engine.dataset import Dataset
from vaetui.engine.events import Clustered, EpochEnded, Event, Losses, Progressed, Reconstructed, Saved, Stepped
from vaetui.engine.inference import Reading, decode, read, remember
from vaetui.engine.kmeans import elbow
from vaetui.engine.label_propagation import doubt
from vaetui.engine.metrics import pixel_accuracy
from vaetui.engine.pseudo_labels import Weights
from vaetui.engine.query_strategy import doubtful, typical
from vaetui.session import checkpoints, schedule
from vaetui.session.data_split import Data
from vaetui.storage import file_names, round_snapshots
from vaetui.storage.artifact_store import Lost, Vault
from vaetui.storage.repository import Facts
from vaetui.storage.round_snapshots import Found, Part, Photograph, Remembered

SAVE_SECONDS = 10.0
"""Training between two checkpoints: a crash costs no more, and writing one takes some hundredths of a second."""
LOOK_SECONDS = 3.0
"""Training between two looks at the reconstructions."""
Before: TypeAlias = Callable[[Config, int, Vectors], Generator[Progressed, None, NDArray[np.float32]]]
"""Tells for a round, from the places of all images, what the answers before it say of each, [N, classes]."""
Judge: TypeAlias = Callable[[NDArray[np.uint8]], float]
"""Tells from the classes found for the test images, [N], what share of them is right."""


class Learning:
    """The networks of a session at one place of its run, with the images that they learn from."""

    def __init__(self, vault: Vault, facts: Facts, config: Config, data: Data) -> None:
        """Make the networks and put them where the last whole checkpoint left them."""
        self._vault = vault
        self._facts = facts
        if not config.threads:
            # The bits depend on the number of threads: what the first process found is kept for all that follow.
            config = replace(config, threads=torch.get_num_threads())
        torch.set_num_threads(config.threads)
        self.config = config
        self.data = data
        self._learner = checkpoints.made(0, config, facts, data.train.shape)
        if config != facts.config:
            facts.keep_config(config)  # now that its device is known to be there
        device = self._learner.device.type
        self.machine = f"cpu, {config.threads} thread{'s' * (config.threads > 1)}" if device == "cpu" else device
        self._images = Dataset(data.train, self._learner.device)
        self._held_out = Dataset(data.validation, self._learner.device)
        self._test = None if data.test is None else Dataset(data.test, self._learner.device)
        self._steps = steps(config.training, len(data.train))
        self._latest: tuple[tuple[int, tuple[int, ...]], Reading] | None = None
        self._learner, self._epoch, self._step = checkpoints.restored(vault, facts, config, data.train.shape)

    @property
    def trained(self) -> int:
        """The last epoch that the networks have gone through to its end."""
        return self._epoch if self._step >= self._steps else self._epoch - 1

    def train(self, epoch: int, weights: Weights | None, heard: Callable[[Stepped], None]) -> Iterator[Event]:
        """Train what is left of an epoch; whenever it is left, a checkpoint is written first.

        Every report is given to `heard` too, which may keep it.
        """
        if self._epoch != epoch:
            self._epoch, self._step = epoch, 0
            config = schedule.trained_in(epoch, self.config, self._facts)  # classes may have been added
            self._learner = training.grown(self._learner, config, self.data.train.shape)
        yield self.look()
        unsaved: list[Stepped] = []
        saved = looked = time.monotonic()
        checks = self.config.training.checks
        try:
            for stepped in training.train(self._learner, self._images, weights, self.config, epoch, self._step):
                before, self._step = self._step, stepped.step
                unsaved.append(stepped)
                heard(stepped)
                yield stepped
                if time.monotonic() - saved >= SAVE_SECONDS:
                    self._save(unsaved)
                    saved = time.monotonic()
                    yield Saved()
                due = checks * stepped.step // stepped.steps
                if checks * before // stepped.steps < due < checks:  # the last one is taken as the epoch is measured
                    yield self._check((epoch - 1) * checks + due)
                if time.monotonic() - looked >= LOOK_SECONDS:
                    yield self.look()
                    looked = time.monotonic()
        except GeneratorExit:
            # Left at a report, where networks and place belong together; after a failure in between they would not.
            if unsaved:
                self._save(unsaved)
            raise
        self._save(unsaved)
        yield Saved()

    def measure(self, epoch: int, covered: float, answers: int, judge: Judge | None) -> Iterator[Event]:
        """Measure the networks after an epoch, the test images by a judge where there is one, and record it."""
        test_accuracy = None
        if self._test is not None and judge is not None:
            reading = yield from self._through(self._test, "test", epoch)
            test_accuracy = judge(reading.predicted)
        checked = self._check(epoch * self.config.training.checks)
        stamps = [round_snapshots.save(self._vault, file_names.remembered(epoch), Remembered(checked.reconstructions))]
        changed = expected = None
        if self.config.spread.over == "neighbours":
            found = yield from self._read(epoch)
            changed, expected = self._changed(epoch, found), float(found.certainty.mean())
            stamps.append(
                round_snapshots.save(self._vault, file_names.found(epoch), Found(found.predicted, found.certainty))
            )
        figures = [figure for figure in self._facts.figures() if figure[0] == epoch]
        batches = np.diff([0, *(step for _, step, _, _ in figures)])
        losses = np.average([losses for *_, losses, _ in figures], axis=0, weights=batches)
        ended = EpochEnded(
            epoch,
            Losses(*losses.tolist()),
            test_accuracy,
            pixel_accuracy(checked.originals, checked.reconstructions),
            covered,
            answers,
            sum(seconds for *_, seconds in figures),
            changed=changed,
            expected=expected,
        )
        self._facts.record_epoch(ended, *stamps)
        yield ended
        yield checked

    def look(self) -> Reconstructed:
        """Send the first held-out images through the networks as they are."""
        return Reconstructed(self.data.validation[:16], remember(self._learner.vae, self._held_out[:16]))

    def _check(self, number: int) -> Reconstructed:
        """Send all held-out images through the networks as they are."""
        return Reconstructed(self.data.validation[:], remember(self._learner.vae, self._held_out[:]), number)

    def cluster(self, round: int, epoch: int, before: Before) -> Iterator[Event]:
        """Cluster the latent vectors of the images to be asked, decode the centres, and keep it all as one photograph.

        What the answers `before` say tells which images are in doubt, where the recipe asks of those.
        """
        config, seed = self.config, rng.integer(self.config.seed, "clusters", round)
        reading = yield from self._read(epoch)
        spots = placed(reading.latents, config.cluster.by)
        k = config.cluster.clusters
        tried: tuple[tuple[int, float], ...] = ()
        if k is None:
            k, tried = yield from elbow(spots, config.cluster, rng.integer(config.seed, "elbow", round))
        k = min(k, len(spots))
        if round > 1 and config.cluster.asked == "doubtful":
            found = yield from before(config, round, spots)
            doubts = doubt(found, reading.predicted, reading.certainty)
            near, centres = yield from doubtful(spots, doubts, k, config.cluster, seed)
        else:
            near, centres = yield from typical(spots, k, seed)
        pictures = self._pictures(reading.latents, near, centres)
        photograph = Photograph(reading.latents, reading.predicted, near, centres, pictures)
        stamp = round_snapshots.save(self._vault, file_names.photograph(round), photograph)
        clustered = Clustered(round, len(centres), tried)
        self._facts.begin_round(clustered, stamp)
        yield clustered

    def cut(
        self, cluster: Cluster, parts: int, photograph: Photograph, round: int
    ) -> Generator[Progressed, None, Part]:
        """Cut one cluster into parts by k-means, and decode their centres; yields its progress."""
        latents = photograph.latents[cluster.members]
        seed = rng.integer(self.config.seed, "split", round, *cluster.path, parts)
        near, centres = yield from typical(placed(latents, self.config.cluster.by), parts, seed)
        return Part(near, centres, self._pictures(latents, near, centres))

    def read(self, epoch: int) -> Generator[Progressed, None, tuple[Reading, Reading]]:
        """Send the training images and those held out through encoder and classifier, as they are after an epoch."""
        train = yield from self._read(epoch)
        return train, (yield from self._through(self._held_out, "held-out", epoch))

    def _read(self, epoch: int) -> Generator[Progressed, None, Reading]:
        """Send the training images through encoder and classifier, once after each epoch and each merge of classes."""
        known = epoch, self._facts.classes().roots
        if self._latest is None or self._latest[0] != known:
            self._latest = known, (yield from self._through(self._images, "training", epoch))
        return self._latest[1]

    def _through(self, images: Dataset, what: str, epoch: int) -> Generator[Progressed, None, Reading]:
        roots = self._facts.classes().roots
        return read(self._learner.vae, images, self.config, what, epoch, roots=roots)

    def _changed(self, epoch: int, found: Reading) -> float | None:
        """Tell what share of the training images was called otherwise an epoch before, if there were labels then."""
        if epoch <= self.config.training.warmup + 1:
            return None
        with suppress(Lost):  # a figure less is no reason to stop
            before = round_snapshots.load(self._vault, file_names.found(epoch - 1), Found)
            return float(np.mean(np.array(self._facts.classes().roots)[before.predicted] != found.predicted))
        return None

    def _pictures(self, latents: Vectors, near: NDArray[np.int32], centres: Vectors) -> Pixels:
        """Decode centres of latent vectors."""
        return decode(self._learner.vae, seen_centres(latents, near, centres, self.config.cluster.by))

    def _save(self, unsaved: list[Stepped]) -> None:
        """Write a checkpoint with the reports that lead to it."""
        checkpoints.keep(self._vault, self._facts, self._learner, self._epoch, self._step, unsaved)
        unsaved.clear()

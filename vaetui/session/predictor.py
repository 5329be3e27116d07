"""What a session has learned, for other images than its own; it changes nothing, and needs no lock."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace

import numpy as np
import torch

from vaetui.engine import rng, training
from vaetui.engine.clusters import Pixels
from vaetui.engine.dataset import Dataset
from vaetui.engine.events import Progress
from vaetui.engine.images import images_from_array
from vaetui.engine.inference import BATCH_IMAGES, Predictions, decode, predict
from vaetui.engine.vae import VAE
from vaetui.errors import UserError
from vaetui.session import schedule
from vaetui.storage import file_names, locations, tensors, untrusted
from vaetui.storage.artifact_store import ArtifactLost, ArtifactStore
from vaetui.storage.repository import SessionRepository

CANDIDATES_PER_SAMPLE = 50
"""Latent vectors that are drawn for each picture of one class: the surest are taken."""


class Predictor:
    """The networks as the newest checkpoint has them."""

    def __init__(self, name: str) -> None:
        """Load those of a session.

        Raises Trouble for an unknown name, for a session that has not been trained long enough for a checkpoint, and
        where all checkpoints are damaged.
        """
        directory = locations.find_session(name)
        untrusted.refuse_untrusted_entries(directory)
        facts = SessionRepository(directory)
        try:
            config, epochs = facts.config, facts.list_epochs()
            if not facts.list_checkpoints():
                raise UserError(f"{name} has learned nothing yet: ten seconds of its training must pass, or an epoch.")
            self.name = name
            """The session."""
            self.config = replace(config, device="cpu")
            """Every knob of it, for the classes that the networks know."""
            self.image_shape = facts.shape[1:]
            """Height and width of its images, in pixels; in colour also 3."""
            self.classes = facts.load_class_list()
            """What classes there are; the last ones may be unknown to the networks as yet."""
            self.has_learned_classes = len(epochs) > config.training.warmup_epochs and bool(facts.last_answered_round())
            """Whether it has learned classes so far."""
            self.test_accuracy = epochs[-1].test_accuracy if epochs else None
            """Share of test images called right after the last epoch; None without labels, and before the first."""
            self.vae = self._load_newest(ArtifactStore(directory, facts), facts)
            """The networks."""
        finally:
            facts.close()
        self._predicted_count = 0

    def predict(self, pixels: Pixels) -> Generator[Progress, None, Predictions]:
        """Classify images [N, H, W] of its size; yields its progress.

        Raises Trouble where no class has been learned.
        """
        self.require_classes()
        self._predicted_count += len(pixels)
        images = Dataset(images_from_array(pixels), torch.device("cpu"))
        return predict(self.vae, images, self.config, "new", self._predicted_count, canonical=self.classes.canonical)

    def generate_samples(self, count: int, class_id: int | None, seed: int) -> Generator[Progress, None, Pixels]:
        """Draw new pictures [count, H, W] from the prior of the latent space: any, or the surest of many of one class.

        Yields its progress. Raises Trouble for a class where none has been learned, or not that one yet.
        """
        if class_id is not None and class_id >= self.config.network.classes:
            raise UserError(f"{self.classes.names[class_id]} is new: the networks learn it in the next epoch.")
        tried = count if class_id is None else count * CANDIDATES_PER_SAMPLE
        latents = rng.derive_generator(seed, "samples").standard_normal((tried, self.config.network.z_dim), np.float32)
        drawn = []
        for at in range(0, tried, BATCH_IMAGES):
            yield Progress("drawing", at, tried)
            drawn.append(decode(self.vae, latents[at : at + BATCH_IMAGES]))
        pictures = np.concatenate(drawn)
        if class_id is None:
            return pictures
        found = yield from self.predict(pictures)
        sure = np.where(found.class_ids == class_id, found.confidences, -found.confidences)
        return pictures[np.argsort(-sure, kind="stable")[:count]]

    def require_classes(self) -> None:
        """Raise Trouble where no class has been learned."""
        if not self.has_learned_classes:
            raise UserError(
                f"{self.name} has learned no class yet; answer a round, and go on with: vaetui resume {self.name}"
            )

    def _load_newest(self, store: ArtifactStore, repository: SessionRepository) -> VAE:
        """Load the newest checkpoint that is whole; one that trains may have replaced the first of them by now."""
        for place in repository.list_checkpoints():
            self.config = schedule.config_for_epoch(place[0], self.config, repository)
            learner = training.create_train_state(self.config, self.image_shape)
            with suppress(ArtifactLost):
                content = store.read(file_names.checkpoint_name(*place), training.max_checkpoint_bytes(learner))
                training.load_state_dict(learner, tensors.from_bytes(content))
                learner.vae.eval()
                return learner.vae
        raise UserError(f"No checkpoint can be read; mend the session with: vaetui check {self.name} --repair")

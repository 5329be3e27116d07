"""Predictions for new images and generated samples by the newest checkpoint of a session, read-only."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import replace

import numpy as np
import torch

from vaetui.engine import rng, train_state
from vaetui.engine.clusters import Pixels
from vaetui.engine.device_images import DeviceImages
from vaetui.engine.events import Progress
from vaetui.engine.images import images_from_array
from vaetui.engine.inference import BATCH_IMAGES, Predictions, decode_latents, encode_and_classify
from vaetui.engine.vae import VAE
from vaetui.errors import UserError
from vaetui.session import schedule
from vaetui.storage import file_names, locations, tensors, untrusted_entries
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository

CANDIDATES_PER_SAMPLE = 50
"""Latent vectors drawn per sample of a given class; the most confident ones are returned."""


class Predictor:
    """The networks of a session at its newest intact checkpoint, on the CPU."""

    def __init__(self, name: str) -> None:
        """Load the networks of a session; no lock is needed.

        Raises UserError for an unknown name, a session without a checkpoint, and if all checkpoints are damaged.
        """
        directory = locations.find_session(name)
        untrusted_entries.refuse_untrusted_entries(directory)
        with closing(SessionRepository(directory)) as repository:
            config, epochs = repository.config, repository.list_epochs()
            if not repository.list_checkpoints():
                raise UserError(f"{name} has no checkpoint yet; the first one is saved after ten seconds of training.")
            self.name = name
            """The session name."""
            self.config = replace(config, device="cpu")
            """The configuration, with the classes that the networks have learned."""
            self.image_shape = repository.shape[1:]
            """Height and width of the images in pixels; for colour images also 3."""
            self.classes = repository.load_class_list()
            """All classes; the networks may not have learned the last ones yet."""
            has_answers = bool(repository.find_last_answered_round())
            self.has_learned_classes = has_answers and len(epochs) > config.training.warmup_epochs
            """Whether the networks were trained with labels."""
            self.test_accuracy = epochs[-1].test_accuracy if epochs else None
            """Test accuracy of the last epoch; None without labels and before the first epoch."""
            self.vae = self._load_newest_checkpoint(ArtifactStore(directory, repository), repository)
            """The networks."""
        self._predicted_count = 0

    def predict(self, pixels: Pixels) -> Generator[Progress, None, Predictions]:
        """Classify images [N, H, W] of the session's size; yields progress.

        Raises UserError if no class has been learned.
        """
        self.require_learned_classes()
        self._predicted_count += len(pixels)
        images = DeviceImages(images_from_array(pixels), torch.device("cpu"))
        return encode_and_classify(
            self.vae, images, self.config, "new", self._predicted_count, canonical=self.classes.canonical
        )

    def generate_samples(self, count: int, class_id: int | None, seed: int) -> Generator[Progress, None, Pixels]:
        """Decode latent vectors drawn from the prior to images [count, H, W]; yields progress.

        With a class, return the candidates most confidently classified as it. Raises UserError if that class, or
        any, has not been learned.
        """
        if class_id is not None and class_id >= self.config.network.classes:
            raise UserError(f"Class {self.classes.names[class_id]} is new; the networks learn it in the next epoch.")
        candidate_count = count if class_id is None else count * CANDIDATES_PER_SAMPLE
        generator = rng.derive_generator(seed, "samples")
        latents = generator.standard_normal((candidate_count, self.config.network.z_dim), np.float32)
        batches = []
        for start in range(0, candidate_count, BATCH_IMAGES):
            yield Progress("generating samples", start, candidate_count)
            batches.append(decode_latents(self.vae, latents[start : start + BATCH_IMAGES]))
        samples = np.concatenate(batches)
        if class_id is None:
            return samples
        predictions = yield from self.predict(samples)
        scores = np.where(predictions.class_ids == class_id, predictions.confidences, -predictions.confidences)
        return samples[np.argsort(-scores, kind="stable")[:count]]

    def require_learned_classes(self) -> None:
        """Raise UserError if no class has been learned."""
        if not self.has_learned_classes:
            name = self.name
            raise UserError(f"{name} has not learned any class yet; answer a round with: vaetui resume {name}")

    def _load_newest_checkpoint(self, store: ArtifactStore, repository: SessionRepository) -> VAE:
        """Load the newest intact checkpoint; a training process may already have deleted the oldest one."""
        for checkpoint in repository.list_checkpoints():
            self.config = schedule.config_for_epoch(checkpoint[0], self.config, repository)
            state = train_state.create_train_state(self.config, self.image_shape)
            with suppress(ArtifactLostError):
                content = store.read(file_names.checkpoint_name(*checkpoint), train_state.bound_checkpoint_bytes(state))
                train_state.load_checkpoint_arrays(state, tensors.decode_safetensors(content))
                state.vae.eval()
                return state.vae
        raise UserError(f"No checkpoint can be read; repair the session with: vaetui check {self.name} --repair")

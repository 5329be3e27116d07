"""Predictions for new images and generated samples by the newest checkpoint of a session, read-only."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import replace

import numpy as np
import torch

from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import parse_import_options
from vaetui.engine import rng, train_state
from vaetui.engine.clusters import Pixels
from vaetui.engine.device_images import DeviceImages
from vaetui.engine.events import Progress
from vaetui.engine.images import images_from_array
from vaetui.engine.inference import BATCH_IMAGES, Predictions, decode_latents, encode_and_classify
from vaetui.engine.vae import VAE
from vaetui.errors import UserError
from vaetui.session import schedule
from vaetui.session.learned_classes import find_answered_class_ids, find_learned_class_ids
from vaetui.storage import file_names, locations, tensors, untrusted_entries
from vaetui.storage.artifact_store import ArtifactLostError, ArtifactStore
from vaetui.storage.repository import SessionRepository

CANDIDATES_PER_SAMPLE = 50
"""Latent vectors drawn per sample of a given class; the most confident ones are returned."""

NEW_SESSION_ADVICE = "It has no round left to answer; create another session, with: vaetui new"


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
            """All classes; the networks may not have learned all of them."""
            origin = repository.data_record.origin
            self.value_ranges = {"8-bit": (0.0, 255.0)} if origin is None else origin.report.value_ranges
            """The values of black and white in the session's images, by kind of values."""
            self.import_options = ImportOptions() if origin is None else parse_import_options(origin)
            """The options of the import of the session's images."""
            self.test_accuracy = epochs[-1].test_accuracy if epochs else None
            """Test accuracy of the last epoch; None without labels and before the first epoch."""
            self._has_later_round = schedule.next_round_number(config.training, repository) > 0
            self.vae, epoch = self._load_newest_checkpoint(ArtifactStore(directory, repository), repository)
            """The networks."""
            last_epoch = min(epoch, len(epochs))  # an unfinished epoch does not count
            self.answered_class_ids = find_answered_class_ids(config, repository, last_epoch)
            """The classes whose answers the networks were trained on."""
            self.learned_class_ids = find_learned_class_ids(config, repository, last_epoch)
            """The classes that the networks can tell apart; empty until they were trained on two."""
        self._predicted_count = 0

    def predict(self, pixels: Pixels) -> Generator[Progress, None, Predictions]:
        """Classify images [N, H, W] of the session's size as one of the learned classes; yields progress.

        Raises UserError if fewer than two classes have been learned.
        """
        self.require_two_learned_classes()
        self._predicted_count += len(pixels)
        images = DeviceImages(images_from_array(pixels), torch.device("cpu"))
        return encode_and_classify(
            self.vae,
            images,
            self.config,
            "new",
            self._predicted_count,
            canonical=self.classes.canonical,
            allowed_class_ids=self.learned_class_ids,
        )

    def generate_samples(self, count: int, class_id: int | None, seed: int) -> Generator[Progress, None, Pixels]:
        """Decode latent vectors drawn from the prior to images [count, H, W]; yields progress.

        With a class, return the candidates most confidently classified as it. Raises UserError if that class, or
        any, has not been learned.
        """
        if class_id is not None and class_id >= self.config.network.classes:
            raise UserError(f"Class {self.classes.names[class_id]} is new; the networks learn it in the next epoch.")
        if class_id is not None:
            self._require_learned_class(class_id)
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
        """Raise UserError if the networks were not trained on any answer."""
        if not self.answered_class_ids:
            advice = f"Answer a round with: vaetui resume {self.name}" if self._has_later_round else NEW_SESSION_ADVICE
            raise UserError(f"{self.name} has not learned any class yet. {advice}")

    def require_two_learned_classes(self) -> None:
        """Raise UserError if the networks cannot tell two classes apart, so that a prediction would mean nothing."""
        self.require_learned_classes()
        if not self.learned_class_ids:
            class_name = self.classes.names[self.answered_class_ids[0]]
            advice = f"Name a second one with: vaetui resume {self.name}"
            raise UserError(
                f"All answers that {self.name} has learned name one class, {class_name}. "
                f"{advice if self._has_later_round else NEW_SESSION_ADVICE}"
            )

    def _require_learned_class(self, class_id: int) -> None:
        self.require_two_learned_classes()
        if class_id not in self.learned_class_ids:
            learned_names = ", ".join(self.classes.names[learned_id] for learned_id in self.learned_class_ids)
            raise UserError(
                f"The networks have not learned class {self.classes.names[class_id]}. Choose one of: {learned_names}."
            )

    def _load_newest_checkpoint(self, store: ArtifactStore, repository: SessionRepository) -> tuple[VAE, int]:
        """Load the newest intact checkpoint, and return the networks and its epoch.

        A training process may already have deleted the oldest one.
        """
        for checkpoint in repository.list_checkpoints():
            self.config = schedule.config_for_epoch(checkpoint[0], self.config, repository)
            state = train_state.create_train_state(self.config, self.image_shape)
            with suppress(ArtifactLostError):
                content = store.read(file_names.checkpoint_name(*checkpoint), train_state.bound_checkpoint_bytes(state))
                train_state.load_checkpoint_arrays(state, tensors.decode_safetensors(content))
                state.vae.eval()
                return state.vae, checkpoint[0]
        raise UserError(f"No checkpoint can be read; repair the session with: vaetui check {self.name} --repair")

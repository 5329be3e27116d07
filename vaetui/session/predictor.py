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
from vaetui.engine.events import Progressed
from vaetui.engine.images import every
from vaetui.engine.inference import BATCH, Reading, decode, read
from vaetui.engine.vae import Vae
from vaetui.errors import Trouble
from vaetui.session import schedule
from vaetui.storage import file_names, locations, tensors, untrusted
from vaetui.storage.artifact_store import Lost, Vault
from vaetui.storage.repository import Facts

TRIED = 50
"""Latent vectors that are drawn for each picture of one class: the surest are taken."""


class Trained:
    """The networks as the newest checkpoint has them."""

    def __init__(self, name: str) -> None:
        """Load those of a session.

        Raises Trouble for an unknown name, for a session that has not been trained long enough for a checkpoint, and
        where all checkpoints are damaged.
        """
        directory = locations.find(name)
        untrusted.refuse_strange(directory)
        facts = Facts(directory)
        try:
            config, epochs = facts.config, facts.epochs()
            if not facts.checkpoints():
                raise Trouble(f"{name} has learned nothing yet: ten seconds of its training must pass, or an epoch.")
            self.name = name
            """The session."""
            self.config = replace(config, device="cpu")
            """Every knob of it, for the classes that the networks know."""
            self.shape = facts.shape[1:]
            """Height and width of its images, in pixels; in colour also 3."""
            self.classes = facts.classes()
            """What classes there are; the last ones may be unknown to the networks as yet."""
            self.knows = len(epochs) > config.training.warmup and bool(facts.last_answered())
            """Whether it has learned classes so far."""
            self.accuracy = epochs[-1].test_accuracy if epochs else None
            """Share of test images called right after the last epoch; None without labels, and before the first."""
            self.vae = self._newest(Vault(directory, facts), facts)
            """The networks."""
        finally:
            facts.close()
        self._count = 0

    def read(self, pixels: Pixels) -> Generator[Progressed, None, Reading]:
        """Classify images [N, H, W] of its size; yields its progress.

        Raises Trouble where no class has been learned.
        """
        self.need_classes()
        self._count += len(pixels)
        images = Dataset(every(pixels), torch.device("cpu"))
        return read(self.vae, images, self.config, "new", self._count, roots=self.classes.roots)

    def draw(self, count: int, label: int | None, seed: int) -> Generator[Progressed, None, Pixels]:
        """Draw new pictures [count, H, W] from the prior of the latent space: any, or the surest of many of one class.

        Yields its progress. Raises Trouble for a class where none has been learned, or not that one yet.
        """
        if label is not None and label >= self.config.network.classes:
            raise Trouble(f"{self.classes.names[label]} is new: the networks learn it in the next epoch.")
        tried = count if label is None else count * TRIED
        latents = rng.generator(seed, "samples").standard_normal((tried, self.config.network.z_dim), np.float32)
        drawn = []
        for at in range(0, tried, BATCH):
            yield Progressed("drawing", at, tried)
            drawn.append(decode(self.vae, latents[at : at + BATCH]))
        pictures = np.concatenate(drawn)
        if label is None:
            return pictures
        found = yield from self.read(pictures)
        sure = np.where(found.predicted == label, found.certainty, -found.certainty)
        return pictures[np.argsort(-sure, kind="stable")[:count]]

    def need_classes(self) -> None:
        """Raise Trouble where no class has been learned."""
        if not self.knows:
            raise Trouble(
                f"{self.name} has learned no class yet; answer a round, and go on with: vaetui resume {self.name}"
            )

    def _newest(self, vault: Vault, facts: Facts) -> Vae:
        """Load the newest checkpoint that is whole; one that trains may have replaced the first of them by now."""
        for place in facts.checkpoints():
            self.config = schedule.trained_in(place[0], self.config, facts)
            learner = training.learner(self.config, self.shape)
            with suppress(Lost):
                content = vault.get(file_names.checkpoint(*place), training.size(learner))
                training.restore(learner, tensors.unpacked(content))
                learner.vae.eval()
                return learner.vae
        raise Trouble(f"No checkpoint can be read; mend the session with: vaetui check {self.name} --repair")

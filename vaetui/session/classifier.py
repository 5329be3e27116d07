"""The trained classifier of a session, for other images than its own; it changes nothing, and needs no lock."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from vaetui.engine import training
from vaetui.engine.clusters import Pixels
from vaetui.engine.events import Progressed
from vaetui.engine.latents import Reading, read
from vaetui.store import entries, home, places, tensors
from vaetui.store.facts import Facts
from vaetui.store.vault import Lost, Vault
from vaetui.trouble import Trouble


class Classifier:
    """The networks as the newest checkpoint has them."""

    def __init__(self, name: str) -> None:
        """Load those of a session.

        Raises Trouble for an unknown name, for a session that has not learned any class so far, and where all
        checkpoints are damaged.
        """
        directory = home.find(name)
        entries.refuse_strange(directory)
        facts = Facts(directory)
        try:
            config = facts.config
            if len(facts.epochs()) <= config.training.warmup or not facts.last_answered():
                raise Trouble(f"{name} has learned no class yet; answer a round, and go on with: vaetui resume {name}")
            self.size: tuple[int, int] = (facts.shape[1], facts.shape[2])
            """Height and width of the images that it reads, in pixels."""
            self.classes = facts.material.called(config.network.classes)
            """The names of the classes."""
            self._config = replace(config, device="cpu" if config.device == "mps" else config.device)
            self._learner = training.learner(self._config, self.size)
            training.restore(self._learner, self._newest(Vault(directory, facts), facts))
        finally:
            facts.close()
        self._count = 0

    def read(self, pixels: Pixels) -> Generator[Progressed, None, Reading]:
        """Classify images [N, H, W] of its size; yields its progress."""
        on_device = torch.from_numpy(pixels).to(self._learner.device)
        self._count += len(pixels)
        return read(self._learner.vae, on_device, self._config, "new", self._count)

    def _newest(self, vault: Vault, facts: Facts) -> dict[str, NDArray[np.float32]]:
        """Read the newest checkpoint that is whole; one that trains may have replaced the first of them by now."""
        for place in facts.checkpoints():
            with suppress(Lost):
                return tensors.unpacked(vault.get(places.checkpoint(*place), training.size(self._learner)))
        raise Trouble(f"No checkpoint can be read; mend the session with: vaetui check {vault.directory.name} --repair")

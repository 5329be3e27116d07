"""A small training run that a test starts in several processes: python -m tests.engine.rank_program OUTPUT CASE."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Generator
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from vaetui.engine.config import Config
from vaetui.engine.device_inputs import DeviceImages, DeviceInputs, DeviceVectors
from vaetui.engine.distributed import World
from vaetui.engine.image_views import ViewComponents, fit_hidden_components, fit_pixel_components
from vaetui.engine.images import Images
from vaetui.engine.inference import encode_and_classify
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.recipes import get_recipe
from vaetui.engine.train_state import create_train_state, to_checkpoint_arrays
from vaetui.engine.training import train_epoch
from vaetui.engine.vectors import Vectors

R = TypeVar("R")
CPU = torch.device("cpu")
COUNTS = {"tiny": 5, "uneven": 67}
"""Images of a case; others have 96."""
REPORTS = 2
"""Reports of an epoch after which rank 0 stops: rounding grows with every step."""


def train_small(world: World, case: str) -> dict[str, NDArray[Any]]:
    """Begin an unsupervised and a supervised epoch, and encode; return networks, losses and latents."""
    torch.set_num_threads(1)
    config = dataclasses.replace(build_config(case), device="cpu")
    count = COUNTS.get(case, 96)
    generator = np.random.default_rng(0)
    inputs: DeviceInputs
    if case == "vectors":
        inputs = DeviceVectors(Vectors(generator.standard_normal((count, 24), np.float32), np.arange(count)), CPU)
        shape: tuple[int, ...] = (24,)
    else:
        pixels = generator.integers(0, 256, (count, 16, 16), dtype=np.uint8)
        inputs, shape = DeviceImages(Images(pixels, np.arange(count)), CPU), (16, 16)
    labels = PseudoLabels(generator.integers(0, 10, count), generator.integers(0, 2, count).astype(np.float32))
    results: dict[str, NDArray[Any]] = {}
    for name, pseudo_labels in (("unsupervised", None), ("supervised", labels)):
        state, losses = create_train_state(config, shape), []
        reports = world.follow(train_epoch(state, inputs, pseudo_labels, config, 1, world=world))
        for report in reports:
            losses.append(list(report.losses))
            if len(losses) == REPORTS and world.rank == 0:
                reports.close()  # the other ranks stop, too
        results |= {f"{name}.losses": np.array(losses), **to_checkpoint_arrays(state)}
    hidden, pixels = fit_hidden_components(state.vae, inputs, config, 1), fit_pixel_components(inputs, config)
    components = ViewComponents(*hidden, *pixels)
    steps = encode_and_classify(state.vae, inputs, config, "training", view_components=components, world=world)
    predictions = drain(world.follow(steps))
    assert predictions.views is not None
    return results | {"latents": predictions.latents, "image_views": predictions.views}


def build_config(case: str) -> Config:
    """Return the configuration of a case, with second views for "views", "heads" and "vectors"."""
    config = get_recipe({"vectors": "features", "views": "propagation", "heads": "thorough"}.get(case, "paper"))
    batch_size = {"tiny": 2, "uneven": 16}.get(case, 32)
    network = dataclasses.replace(config.network, batch_norm=True)
    training = dataclasses.replace(config.training, batch_size=batch_size)
    return dataclasses.replace(config, network=network, training=training)


def drain(steps: Generator[Any, None, R | None]) -> R:
    """Run a generator to its end and return its value."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            assert end.value is not None
            value: R = end.value
            return value


if __name__ == "__main__":
    from vaetui.engine.rank_connection import connect

    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    connection = connect(rank, size, rank, size, {})
    np.savez(sys.argv[1], **train_small(connection.world, sys.argv[2]))  # type: ignore[arg-type]
    connection.end()

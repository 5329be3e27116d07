"""Images become latent vectors and latent vectors pictures, in batches; it does not know what for."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaetui.engine import rng
from vaetui.engine.clusters import Pixels, Vectors
from vaetui.engine.config import Config
from vaetui.engine.dataset import Dataset
from vaetui.engine.events import Progressed
from vaetui.engine.vae import Vae, scale, unscale

BATCH = 256
"""Images in a batch: more would fall out of the processor's caches, fewer would leave it idle."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the networks make of images."""

    latents: Vectors
    """[N, z_dim]."""
    predicted: NDArray[np.uint8]
    """The most likely class, [N]."""
    certainty: NDArray[np.float32]
    """Its probability, [N]."""


def read(
    vae: Vae, images: Dataset, config: Config, what: str, *place: int, roots: Sequence[int] = ()
) -> Generator[Progressed, None, Reading]:
    """Send images through encoder and classifier.

    `roots` tells for each class, also for those that the networks do not know yet, what it counts as: probabilities
    of classes that were merged are summed. Yields its progress and returns the Reading. Where the recipe uses sampled
    latent vectors, the sample depends on the seed, on `what` is read and on the `place` in the run only.
    """
    known = vae.classifier.out_features
    counted = torch.eye(len(roots))[torch.tensor(roots[:known])] if len(set(roots)) < len(roots) else None
    total = len(images)
    # Filled batch by batch: of a million images, small results that are kept would hold large freed blocks apart.
    latents = np.empty((total, config.network.z_dim), np.float32)
    predicted, certainty = np.empty(total, np.uint8), np.empty(total, np.float32)
    for start in range(0, total, BATCH):
        stop = min(start + BATCH, total)
        parts = _read_batch(vae, images[start:stop], config, counted, what, *place, start)
        latents[start:stop], predicted[start:stop], certainty[start:stop] = (each.cpu().numpy() for each in parts)
        yield Progressed(f"reading the {what} images", stop, total)
    return Reading(latents, predicted, certainty)


@torch.inference_mode()
def _read_batch(
    vae: Vae, pixels: Tensor, config: Config, counted: Tensor | None, what: str, *place: int
) -> tuple[Tensor, Tensor, Tensor]:
    hidden, mean, deviation = vae.eval().infer(scale(pixels))
    latents = mean
    if config.network.used == "sample":
        latents = mean + deviation * noise(config, mean, f"reading {what}", *place)
    chances = vae.classify(hidden, latents).softmax(dim=1)  # [N, classes that the networks know]
    if counted is not None:
        chances = chances @ counted.to(chances.device)  # [N, classes]
    certainty, predicted = chances.max(dim=1)
    return latents, predicted, certainty


def noise(config: Config, like: Tensor, purpose: str, *place: int) -> Tensor:
    """Draw standard normal noise in the shape and on the device of `like`; the same on every device."""
    drawn = rng.generator(config.seed, purpose, *place).standard_normal(tuple(like.shape), np.float32)
    return torch.from_numpy(drawn).to(like.device)


@torch.inference_mode()
def decode(vae: Vae, latents: Vectors) -> Pixels:
    """Turn latent vectors [N, z_dim] into pictures [N, H, W]."""
    device = next(vae.parameters()).device
    return _picture(vae.generate(torch.from_numpy(latents).to(device)))


@torch.inference_mode()
def remember(vae: Vae, pixels: Tensor) -> Pixels:
    """Send images, bytes [N, H, W], through encoder and decoder by the mean of their latent vectors."""
    return _picture(vae.generate(vae.eval().infer(scale(pixels)).mean))


def _picture(logits: Tensor) -> Pixels:
    pixels: Pixels = unscale(logits.sigmoid()).cpu().numpy()
    return pixels

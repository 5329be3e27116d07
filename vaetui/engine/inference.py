"""Images become latent vectors and latent vectors pictures, in batches; it does not know what for."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaetui.engine import rng
from vaetui.engine.clusters import LatentVectors, Pixels
from vaetui.engine.config import Config
from vaetui.engine.dataset import Dataset
from vaetui.engine.events import Progress
from vaetui.engine.vae import VAE, to_byte_images, to_float_images

BATCH_IMAGES = 256
"""Images in a batch: more would fall out of the processor's caches, fewer would leave it idle."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What the networks make of images."""

    latents: LatentVectors
    """[N, z_dim]."""
    class_ids: NDArray[np.uint8]
    """The most likely class, [N]."""
    confidences: NDArray[np.float32]
    """Its probability, [N]."""


def predict(
    vae: VAE, images: Dataset, config: Config, image_set: str, *position: int, canonical: Sequence[int] = ()
) -> Generator[Progress, None, Predictions]:
    """Send images through encoder and classifier.

    `roots` tells for each class, also for those that the networks do not know yet, what it counts as: probabilities
    of classes that were merged are summed. Yields its progress and returns the Reading. Where the recipe uses sampled
    latent vectors, the sample depends on the seed, on `what` is read and on the `place` in the run only.
    """
    known = vae.classifier.out_features
    counted = (
        torch.eye(len(canonical))[torch.tensor(canonical[:known])] if len(set(canonical)) < len(canonical) else None
    )
    total = len(images)
    # Filled batch by batch: of a million images, small results that are kept would hold large freed blocks apart.
    latents = np.empty((total, config.network.z_dim), np.float32)
    predicted, certainty = np.empty(total, np.uint8), np.empty(total, np.float32)
    for start in range(0, total, BATCH_IMAGES):
        stop = min(start + BATCH_IMAGES, total)
        parts = _predict_batch(vae, images[start:stop], config, counted, image_set, *position, start)
        latents[start:stop], predicted[start:stop], certainty[start:stop] = (each.cpu().numpy() for each in parts)
        yield Progress(f"reading the {image_set} images", stop, total)
    return Predictions(latents, predicted, certainty)


@torch.inference_mode()
def _predict_batch(
    vae: VAE, pixels: Tensor, config: Config, merge_matrix: Tensor | None, image_set: str, *position: int
) -> tuple[Tensor, Tensor, Tensor]:
    hidden, mean, deviation = vae.eval().encode(to_float_images(pixels))
    latents = mean
    if config.network.latent == "sample":
        latents = mean + deviation * draw_noise(config, mean, f"reading {image_set}", *position)
    chances = vae.classify(hidden, latents).softmax(dim=1)  # [N, classes that the networks know]
    if merge_matrix is not None:
        chances = chances @ merge_matrix.to(chances.device)  # [N, classes]
    certainty, predicted = chances.max(dim=1)
    return latents, predicted, certainty


def draw_noise(config: Config, like: Tensor, purpose: str, *position: int) -> Tensor:
    """Draw standard normal noise in the shape and on the device of `like`; the same on every device."""
    drawn = rng.derive_generator(config.seed, purpose, *position).standard_normal(tuple(like.shape), np.float32)
    return torch.from_numpy(drawn).to(like.device)


@torch.inference_mode()
def decode(vae: VAE, latents: LatentVectors) -> Pixels:
    """Turn latent vectors [N, z_dim] into pictures [N, H, W]."""
    device = next(vae.parameters()).device
    return _to_pixels(vae.decode(torch.from_numpy(latents).to(device)))


@torch.inference_mode()
def reconstruct(vae: VAE, pixels: Tensor) -> Pixels:
    """Send images, bytes [N, H, W], through encoder and decoder by the mean of their latent vectors."""
    return _to_pixels(vae.decode(vae.eval().encode(to_float_images(pixels)).mean))


def _to_pixels(logits: Tensor) -> Pixels:
    pixels: Pixels = to_byte_images(logits.sigmoid()).cpu().numpy()
    return pixels

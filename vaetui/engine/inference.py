"""Batched use of the networks: images or vectors to latent vectors and classes, latent vectors to images."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaetui.engine import rng
from vaetui.engine.clusters import LatentVectors, Pixels
from vaetui.engine.config import Config
from vaetui.engine.device_inputs import BATCH_IMAGES, DeviceInputs
from vaetui.engine.devices import compute_with, explain_lack_of_memory, send_array
from vaetui.engine.distributed import SINGLE, World
from vaetui.engine.duplicates import DistinctImages
from vaetui.engine.events import Progress
from vaetui.engine.image_views import ViewComponents, project_views
from vaetui.engine.networks import Networks
from vaetui.engine.rng import BatchPart
from vaetui.engine.vae import to_byte_images

ACCELERATOR_BATCH_IMAGES = 4 * BATCH_IMAGES
"""Images in a batch of an accelerator, which computes smaller ones faster than the CPU starts them.

Activations of 64x64 images in colour take about 1 GB.
"""
MAX_LEAD = 50.0
"""Largest lead of a class in log probability; float32 keeps probabilities apart up to there."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Latent vectors and predicted classes of images."""

    latents: LatentVectors
    """Latent vectors, or principal components of the features of patches if these are clustered, [N, z_dim]."""
    class_ids: NDArray[np.uint8]
    """Most probable classes, [N]."""
    confidences: NDArray[np.float32]
    """Their probabilities, [N]."""
    second_class_ids: NDArray[np.uint8]
    """Second most probable classes, [N]; equal to the first where no other class has a probability above 0."""
    leads: NDArray[np.float32]
    """Logarithms of the first probability over the second, [N], from 0 to MAX_LEAD."""
    views: LatentVectors | None = None
    """Three views of each image side by side, [N, V]; None if they were not asked for."""

    def equalise_copies(self, distinct_images: DistinctImages) -> Predictions:
        """Return the predictions in which each copy has those of its first copy.

        The latent vectors of copies may differ by their noise or by rounding in another batch.
        """
        copy_first_values = distinct_images.copy_first_values
        return Predictions(
            copy_first_values(self.latents),
            copy_first_values(self.class_ids),
            copy_first_values(self.confidences),
            copy_first_values(self.second_class_ids),
            copy_first_values(self.leads),
            None if self.views is None else copy_first_values(self.views),
        )


def encode_and_classify(
    vae: Networks,
    inputs: DeviceInputs,
    config: Config,
    image_set: str,
    *position: int,
    canonical: Sequence[int] = (),
    allowed_class_ids: Collection[int] | None = None,
    view_components: ViewComponents | None = None,
    world: World = SINGLE,
) -> Generator[Progress, None, Predictions]:
    """Encode and classify images or vectors; yield Progress and return Predictions.

    `canonical` maps a class id to the class that it counts as, and may name more classes than the networks have;
    probabilities of merged classes are summed. With `allowed_class_ids`, the probabilities of all other classes are 0
    and those of the allowed ones sum to 1. With `view_components`, the views of the images are among the results. If
    the recipe samples latent vectors, the sample depends only on the seed, the name `image_set` and the `position` in
    the run. The processes of a `world` divide the batches.
    """
    device = next(vae.parameters()).device
    class_count = vae.classifier.out_features
    logit_offsets = merge_matrix = None
    if allowed_class_ids is not None:
        canonical = canonical or range(class_count)
        is_allowed = torch.tensor([target_id in allowed_class_ids for target_id in canonical[:class_count]])
        logit_offsets = torch.zeros(class_count).masked_fill(~is_allowed, -torch.inf).to(device)
    if len(set(canonical)) < len(canonical):
        merge_matrix = torch.eye(len(canonical))[torch.tensor(canonical[:class_count])].to(device)
    total, z_dim = len(inputs), config.network.z_dim
    view_length = 0 if view_components is None else view_components.count_columns(config)
    components = [send_array(array, device) for array in view_components or ()]
    # Preallocated: for a million images, many small results between large freed blocks would fragment the heap.
    latents, views = np.empty((total, z_dim), np.float32), np.empty((total, view_length), np.float32)
    class_ids, second_class_ids = np.empty(total, np.uint8), np.empty(total, np.uint8)
    confidences, leads = np.empty(total, np.float32), np.empty(total, np.float32)
    columns: tuple[NDArray[Any], ...] = (class_ids, confidences, second_class_ids, leads)
    batch_size = BATCH_IMAGES if device.type == "cpu" else ACCELERATOR_BATCH_IMAGES
    for start in range(0, total, batch_size * world.size):
        stop = min(start + batch_size * world.size, total)
        first = min(start + batch_size * world.rank, stop)  # the batches are those of one process
        results = torch.empty((0, len(columns) + z_dim + view_length), device=device)
        if first < stop:
            batch = inputs.load(slice(first, min(first + batch_size, stop)))
            with explain_lack_of_memory():
                results = _predict_batch(
                    *(vae, batch, config, logit_offsets, merge_matrix, components, image_set),
                    *position,
                    first,
                )
        # [n, 4 + z_dim + V]
        numbers = world.gather_rows(results, first - start, stop - start).cpu().numpy()
        for column, values in zip(columns, numbers.T, strict=False):
            column[start:stop] = values
        latents[start:stop] = numbers[:, len(columns) : len(columns) + z_dim]
        views[start:stop] = numbers[:, len(columns) + z_dim :]
        yield Progress(f"encoding the {image_set} images", stop, total)
    return Predictions(
        latents, class_ids, confidences, second_class_ids, leads, None if view_components is None else views
    )


@torch.inference_mode()
def _predict_batch(
    vae: Networks,
    inputs: Tensor,
    config: Config,
    logit_offsets: Tensor | None,
    merge_matrix: Tensor | None,
    view_components: Sequence[Tensor],
    image_set: str,
    *position: int,
) -> Tensor:
    """Return class, confidence, second class, lead, latent vector and views, for one copy to the CPU.

    They are columns of one matrix, [N, 4 + z_dim + V]. `view_components` is ViewComponents on the device, or empty.
    """
    with compute_with(config.precision, inputs.device):
        hidden, mean, std, components = vae.eval().encode(inputs)
    latents = mean
    if config.network.latent == "sample":
        # The noise of an image does not depend on the size of the batch, which differs between devices.
        *outer, start = position
        noises = [
            draw_normal_noise(config, part, f"reading {image_set}", *outer, start + index * BATCH_IMAGES)
            for index, part in enumerate(torch.split(mean, BATCH_IMAGES))
        ]
        latents = mean + std * torch.cat(noises)
    with compute_with(config.precision, inputs.device):
        logits = vae.classify(hidden, latents).float()  # [N, classes of the networks]
    if logit_offsets is not None:
        logits = logits + logit_offsets
    probabilities = logits.softmax(dim=1)
    if merge_matrix is not None:
        probabilities = probabilities @ merge_matrix  # [N, classes of the session]
    confidences, class_ids = probabilities.max(dim=1)
    others = probabilities.scatter(1, class_ids[:, None], 0)
    second_probabilities, second_class_ids = others.max(dim=1)
    second_class_ids = torch.where(second_probabilities > 0, second_class_ids, class_ids)
    if components is not None:
        latents = components
    leads = (confidences.log() - second_probabilities.log()).clamp(0, MAX_LEAD)
    # Class ids are below 256, which float32 holds exactly.
    columns = torch.stack([class_ids.float(), confidences, second_class_ids.float(), leads], dim=1)  # [N, 4]
    parts = [columns, latents]
    if view_components:
        parts.append(project_views(hidden, latents, inputs, view_components, config))
    return torch.cat(parts, dim=1)


def draw_normal_noise(
    config: Config, like: Tensor, purpose: str, *position: int, part: BatchPart | None = None
) -> Tensor:
    """Return standard normal noise with the shape and device of `like`, rows of a batch or the `part` of a larger one.

    The values are the same on every device.
    """
    count, rows = part or BatchPart.whole(len(like))
    noise = rng.derive_generator(config.seed, purpose, *position).standard_normal((count, *like.shape[1:]), np.float32)
    return send_array(noise[rows], like.device)


@torch.inference_mode()
def decode_latents(vae: Networks, latents: LatentVectors) -> Pixels:
    """Return the images [N, H, W] that latent vectors [N, z_dim] decode to."""
    device = next(vae.parameters()).device
    return _to_pixels(vae.decode_images(torch.from_numpy(latents).to(device)))


@torch.inference_mode()
def reconstruct_images(vae: Networks, inputs: Tensor) -> Pixels:
    """Return the images [N, H, W] that images, or vectors, are decoded to from the means of their latents."""
    return _to_pixels(vae.decode_images(vae.eval().encode(inputs).mean))


def _to_pixels(logits: Tensor) -> Pixels:
    pixels: Pixels = to_byte_images(logits.sigmoid()).cpu().numpy()
    return pixels

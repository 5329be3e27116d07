"""Three views of an image side by side, by which images are clustered and linked.

Hidden units separate the classes best where the augmentation fits the images, and once labels exist. Latent vectors and
pixels keep what the networks were taught to overlook: on Fashion-MNIST, images with the same pixels share a class more
often than images with the same hidden units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor

from vaetui.engine import rng
from vaetui.engine.config import MAX_HIDDEN_COMPONENTS, MAX_PIXEL_COMPONENTS, Config
from vaetui.engine.device_inputs import BATCH_IMAGES, DeviceInputs
from vaetui.engine.devices import compute_with, explain_lack_of_memory
from vaetui.engine.downsampling import downsample
from vaetui.engine.networks import Networks

SAMPLE_IMAGES = 10_000
"""Images that the components are found from."""
MAX_PIXEL_VALUES = 256
"""Most values of an image whose components are found, which take time; others are averaged over squares of pixels."""


class ViewComponents(NamedTuple):
    """Projections of hidden units, H numbers, and of pixels, P numbers, to their principal components."""

    hidden_mean: NDArray[np.float32]
    """Mean of the hidden units, each image's scaled to length 1, [H]."""
    hidden_directions: NDArray[np.float32]
    """Directions of their largest variance, [H, hidden components]."""
    pixel_mean: NDArray[np.float32]
    """Mean image, [P]."""
    pixel_directions: NDArray[np.float32]
    """Directions of the largest variance of the images, [P, pixel components]."""

    def count_columns(self, config: Config) -> int:
        """Return the length of the views of an image."""
        return config.network.z_dim + len(self.hidden_directions.T) + len(self.pixel_directions.T)


@torch.inference_mode()
def fit_view_components(vae: Networks, inputs: DeviceInputs, config: Config, epoch: int) -> ViewComponents:
    """Return the principal components of the hidden units and of the pixels of a sample of the images.

    The bits do not depend on the number of threads of NumPy.
    """
    device = next(vae.parameters()).device
    order = rng.derive_generator(config.seed, "view sample", epoch).permutation(len(inputs))
    hidden, pixels = [], []
    for part in torch.split(torch.from_numpy(np.sort(order[:SAMPLE_IMAGES])), BATCH_IMAGES):
        batch = inputs.load(part)
        with explain_lack_of_memory(), compute_with(config.precision, device):
            hidden.append(vae.eval().encode(batch).hidden.float().cpu())
        pixels.append(_flatten(batch).cpu())
    return ViewComponents(
        *_find_components(F.normalize(torch.cat(hidden), dim=1), MAX_HIDDEN_COMPONENTS),
        *_find_components(torch.cat(pixels), MAX_PIXEL_COMPONENTS),
    )


def project_views(hidden: Tensor, latents: Tensor, inputs: Tensor, components: Sequence[Tensor]) -> Tensor:
    """Return hidden units [N, H], latent vectors [N, z_dim] and images or vectors [N, ...] side by side, [N, V].

    The first and the last are projected to their components, and each part has length 1. `components` is
    ViewComponents on the device of the images.
    """
    hidden_mean, hidden_directions, pixel_mean, pixel_directions = components
    views = [
        (F.normalize(hidden.float(), dim=1) - hidden_mean) @ hidden_directions,
        latents.float(),
        (_flatten(inputs) - pixel_mean) @ pixel_directions,
    ]
    return torch.cat([F.normalize(view, dim=1) for view in views], dim=1)


def _flatten(inputs: Tensor) -> Tensor:
    """Return images [N, C, H, W], averaged to about MAX_PIXEL_VALUES values, or vectors [N, D] as [N, P]."""
    inputs = inputs.float()
    if inputs.dim() == 4:
        inputs = downsample(inputs, math.ceil(math.sqrt(inputs[0].numel() / MAX_PIXEL_VALUES)))
    return inputs.flatten(1)


def _find_components(sample: Tensor, count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean [D] of a sample [S, D] and its at most `count` first principal components, [D, components]."""
    values = sample.numpy()
    mean = values.mean(axis=0)
    with threadpool_limits(limits=1):
        centred = (values - mean).astype(np.float64)
        _, directions = np.linalg.eigh(centred.T @ centred)  # ascending variance
    return mean, np.ascontiguousarray(directions[:, : -count - 1 : -1], np.float32)

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
from vaetui.engine.idx import COLOUR_CHANNELS
from vaetui.engine.networks import Networks

SAMPLE_IMAGES = 10_000
"""Images that the components are found from."""
MAX_PIXEL_VALUES = 1_024
"""Most values of an image whose components are found, which take time; others are averaged over squares of pixels."""
MIN_CONTRAST = 0.02
"""Added to the standard deviation of an image's pixels, from 0 to 1, so that noise in flat images stays small."""


class Components(NamedTuple):
    """A projection of vectors of D numbers to their principal components."""

    mean: NDArray[np.float32]
    """Mean of the vectors, [D]."""
    directions: NDArray[np.float32]
    """Directions of the largest variance, [D, components]."""


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
def fit_hidden_components(vae: Networks, inputs: DeviceInputs, config: Config, epoch: int) -> Components:
    """Return the principal components of the hidden units of a sample of the images, each image's scaled to length 1.

    The bits do not depend on the number of threads of NumPy.
    """
    device = next(vae.parameters()).device
    hidden = []
    for indices in _draw_sample(inputs, config, epoch):
        with explain_lack_of_memory(), compute_with(config.precision, device):
            hidden.append(vae.eval().encode(inputs.load(indices)).hidden.float().cpu())
    return _find_components(F.normalize(torch.cat(hidden), dim=1), MAX_HIDDEN_COMPONENTS)


def fit_pixel_components(inputs: DeviceInputs, config: Config) -> Components:
    """Return the principal components of the pixels, or of the vectors, of a sample of the images.

    They are the same in all epochs, and take two seconds for 28x28 pixels on one core. The bits do not depend on the
    number of threads of NumPy.
    """
    pixels = [_flatten(inputs.load(indices), config).cpu() for indices in _draw_sample(inputs, config)]
    return _find_components(torch.cat(pixels), MAX_PIXEL_COMPONENTS)


def project_views(
    hidden: Tensor, latents: Tensor, inputs: Tensor, components: Sequence[Tensor], config: Config
) -> Tensor:
    """Return hidden units [N, H], latent vectors [N, z_dim] and images or vectors [N, ...] side by side, [N, V].

    The first and the last are projected to their components, and each part has length 1. `components` is
    ViewComponents on the device of the images.
    """
    hidden_mean, hidden_directions, pixel_mean, pixel_directions = components
    views = [
        (F.normalize(hidden.float(), dim=1) - hidden_mean) @ hidden_directions,
        latents.float(),
        (_flatten(inputs, config) - pixel_mean) @ pixel_directions,
    ]
    return torch.cat([F.normalize(view, dim=1) for view in views], dim=1)


def _flatten(inputs: Tensor, config: Config) -> Tensor:
    """Return images [N, C, H, W], averaged to about MAX_PIXEL_VALUES values, or vectors [N, D] as [N, P].

    If the second view of an image changes its colours, because they do not tell its class, each channel is brought to
    mean 0 and equal contrast: the background would otherwise decide which images are alike.
    """
    inputs = inputs.float()
    if inputs.dim() == 4:
        inputs = downsample(inputs, math.ceil(math.sqrt(inputs[0].numel() / MAX_PIXEL_VALUES)))
        if inputs.shape[1] == COLOUR_CHANNELS and config.augmentation.is_enabled and config.augmentation.colour_jitter:
            inputs = inputs - inputs.mean(dim=(2, 3), keepdim=True)
            inputs = inputs / (inputs.square().mean(dim=(2, 3), keepdim=True).sqrt() + MIN_CONTRAST)
    return inputs.flatten(1)


def _draw_sample(inputs: DeviceInputs, config: Config, *position: int) -> Sequence[Tensor]:
    """Return the indices of the images of a sample, in batches and in ascending order."""
    order = rng.derive_generator(config.seed, "view sample", *position).permutation(len(inputs))
    return torch.split(torch.from_numpy(np.sort(order[:SAMPLE_IMAGES])), BATCH_IMAGES)


def _find_components(sample: Tensor, count: int) -> Components:
    """Return at most `count` principal components of a sample [S, D]."""
    values = sample.numpy()
    mean = values.mean(axis=0)
    with threadpool_limits(limits=1):
        centred = (values - mean).astype(np.float64)
        _, directions = np.linalg.eigh(centred.T @ centred)  # ascending variance
    return Components(mean, np.ascontiguousarray(directions[:, : -count - 1 : -1], np.float32))

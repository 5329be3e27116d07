"""Principal components of the hidden units, which separate the classes better than latent vectors once labels exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor

from vaetui.engine import rng
from vaetui.engine.clusters import to_metric_space
from vaetui.engine.config import MAX_HIDDEN_COMPONENTS, Config
from vaetui.engine.device_inputs import BATCH_IMAGES, DeviceInputs
from vaetui.engine.devices import compute_with, explain_lack_of_memory
from vaetui.engine.networks import Networks

SAMPLE_IMAGES = 10_000
"""Images that the components are found from."""


class HiddenComponents(NamedTuple):
    """A projection of hidden units, H numbers, to their principal components."""

    mean: NDArray[np.float32]
    """Mean of the hidden units in the space of the metric, [H]."""
    directions: NDArray[np.float32]
    """Directions of the largest variance, [H, components]."""


@torch.inference_mode()
def fit_hidden_components(vae: Networks, inputs: DeviceInputs, config: Config, epoch: int) -> HiddenComponents:
    """Return the principal components of the hidden units of a sample of the images.

    The bits do not depend on the number of threads of NumPy.
    """
    device = next(vae.parameters()).device
    order = rng.derive_generator(config.seed, "hidden sample", epoch).permutation(len(inputs))
    hidden = []
    for batch in torch.split(torch.from_numpy(np.sort(order[:SAMPLE_IMAGES])), BATCH_IMAGES):
        with explain_lack_of_memory(), compute_with(config.precision, device):
            hidden.append(vae.eval().encode(inputs.load(batch)).hidden.float().cpu())
    sample = to_metric_space(torch.cat(hidden).numpy(), config.cluster.distance_metric)  # [S, H]
    mean = sample.mean(axis=0)
    with threadpool_limits(limits=1):
        centred = (sample - mean).astype(np.float64)
        _, directions = np.linalg.eigh(centred.T @ centred)  # ascending variance
    return HiddenComponents(mean, np.ascontiguousarray(directions[:, : -MAX_HIDDEN_COMPONENTS - 1 : -1], np.float32))


def project_hidden_units(hidden: Tensor, projection: Sequence[Tensor], config: Config) -> Tensor:
    """Return the components of hidden units [N, H] in the space of the metric, [N, components].

    `projection` is HiddenComponents on the device of the hidden units.
    """
    mean, directions = projection
    hidden = hidden.float()
    if config.cluster.distance_metric == "cosine":
        hidden = F.normalize(hidden, dim=1)
    return (hidden - mean) @ directions

"""The networks of a session: those for images, or those for vectors."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import nn

from vaetui.engine.config import NetworkConfig
from vaetui.engine.patch_vae import PatchVAE
from vaetui.engine.vae import VAE
from vaetui.engine.vector_vae import VectorVAE

Networks: TypeAlias = VAE | VectorVAE
"""Encoder, decoder and classifier."""


def build_networks(
    config: NetworkConfig, shape: tuple[int, ...], seed: int, image_shape: tuple[int, ...] = ()
) -> Networks:
    """Return networks with initial weights drawn from the seed and biases of 0.

    `shape` is that of one input: (height, width) or (height, width, 3) of an image, (D,) of a vector.
    Networks for vectors have an image decoder only if `image_shape` is that of the images.
    """
    networks: Networks
    if config.inputs == "vectors":
        networks = VectorVAE(config, shape, image_shape)
    elif config.patch_filters:
        networks = PatchVAE(config, shape)
    else:
        networks = VAE(config, shape)
    _initialise_weights(networks, config, seed)
    return networks


def _initialise_weights(networks: nn.Module, config: NetworkConfig, seed: int) -> None:
    """Draw initial weights from the seed, and set biases to 0."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in networks.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif parameter.dim() == 1:
            nn.init.ones_(parameter)  # scale of a batch normalisation
        elif config.weight_init == "normal":
            nn.init.normal_(parameter, std=0.02, generator=generator)
        else:
            nn.init.xavier_uniform_(parameter, generator=generator)

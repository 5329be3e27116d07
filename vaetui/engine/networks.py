"""The networks of a session: those for images, or those for vectors."""

from __future__ import annotations

from typing import TypeAlias

from vaetui.engine.config import NetworkConfig
from vaetui.engine.patch_vae import PatchVAE
from vaetui.engine.vae import VAE, build_vae, initialise_weights
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
    if config.inputs == "images" and not config.patch_filters:
        return build_vae(config, shape, seed)
    vae = VectorVAE(config, shape, image_shape) if config.inputs == "vectors" else PatchVAE(config, shape)
    initialise_weights(vae, config, seed)
    return vae

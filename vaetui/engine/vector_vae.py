"""The networks for vectors: a variational autoencoder with a classifier, both of dense layers."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vaetui.engine import losses, rng
from vaetui.engine.batch_norm import BatchNorm
from vaetui.engine.config import NetworkConfig
from vaetui.engine.vae import Encoding, ImageDecoder, activate, build_encoding
from vaetui.engine.vectors import Vectors

MAX_SAMPLE_VECTORS = 10_000
"""Most training vectors that mean and scale are measured on; more change them little."""
MAX_SAMPLE_BYTES = 1 << 26
"""Most bytes of these vectors as float32."""
SCALE_FLOOR = 0.05
"""Share of the mean standard deviation added to that of each number, so that nearly constant ones stay small."""


class VectorVAE(nn.Module):
    """Encoder, decoder and classifier for vectors of one width, with the interface of `VAE`.

    Vectors are first brought to length 1, and each of their numbers is standardised by its mean and scale. The
    likelihood of the decoder (eq. 1) is a Gaussian with variance 1 in place of the Bernoulli distribution of pixels. An
    image decoder may learn beside the other networks, which it does not change.
    """

    input_mean: Tensor
    input_scale: Tensor

    def __init__(self, config: NetworkConfig, shape: tuple[int, ...], image_shape: tuple[int, ...] = ()) -> None:
        """Create networks for vectors of `shape`, (D,).

        With `image_shape`, (height, width) or (height, width, 3), they have an image decoder if it is configured.
        """
        super().__init__()
        (width,) = shape
        hidden_units = config.hidden_units
        self.negative_slope = config.negative_slope
        self.encoder = nn.ModuleList([nn.Linear(width, hidden_units), nn.Linear(hidden_units, 2 * config.z_dim)])
        self.decoder = nn.ModuleList([nn.Linear(config.z_dim, hidden_units), nn.Linear(hidden_units, width)])
        self.norm = BatchNorm(hidden_units) if config.batch_norm else nn.Identity()
        self.classifies_hidden = config.classifier_input == "hidden"
        self.classifier = nn.Linear(hidden_units if self.classifies_hidden else config.z_dim, config.classes)
        # Buffers, which checkpoints contain: `fit_to_vectors` measures them once.
        self.register_buffer("input_mean", torch.zeros(width))
        self.register_buffer("input_scale", torch.ones(width))
        # Last, so that the initial weights of all others are the same without it.
        self.image_decoder = ImageDecoder(config, image_shape) if config.image_decoder and image_shape else None

    @torch.no_grad()
    def fit_to_vectors(self, vectors: Vectors, seed: int) -> None:
        """Measure mean and scale on a sample of the training vectors."""
        sample_size = max(min(MAX_SAMPLE_VECTORS, MAX_SAMPLE_BYTES // (4 * vectors.width)), 1)
        order = rng.derive_generator(seed, "vector statistics").permutation(len(vectors))
        sample = F.normalize(torch.from_numpy(vectors[np.sort(order[:sample_size])])).numpy()  # [S, D]
        mean, stds = sample.mean(axis=0, dtype=np.float64), sample.std(axis=0, dtype=np.float64)
        scale = np.maximum(stds + SCALE_FLOOR * stds.mean(), 1e-12)
        self.input_mean.copy_(torch.from_numpy(mean).float())  # before it is sent: some devices have no float64
        self.input_scale.copy_(torch.from_numpy(scale).float())

    def standardise(self, vectors: Tensor) -> Tensor:
        """Return vectors [N, D] of length 1, minus the means and divided by the scales of the training vectors."""
        return (F.normalize(vectors, dim=1) - self.input_mean) / self.input_scale

    def encode(self, vectors: Tensor) -> Encoding:
        """Return q(z | x) of vectors [N, D] of any length."""
        dense1, dense2 = self.encoder
        hidden = self._activate(self.norm(dense1(self.standardise(vectors))))  # [N, hidden_units]
        return build_encoding(hidden, dense2)

    def encode_views(self, vectors: Tensor, second_views: Tensor) -> Encoding:
        """Return q(z | x) of vectors [N, D] and then of a second view of each, [2 N, ...], for training."""
        return self.encode(torch.cat([vectors, second_views]))

    def decode(self, latents: Tensor) -> Tensor:
        """Return the vectors [N, D] of latent vectors [N, z_dim], of length 1 but for the error of the decoder."""
        return self._decode_standardised(latents) * self.input_scale + self.input_mean

    def decode_images(self, latents: Tensor) -> Tensor:
        """Return pixel logits [N, 1, H, W] or [N, 3, H, W] of latent vectors [N, z_dim]; only with an image decoder."""
        assert self.image_decoder is not None
        logits: Tensor = self.image_decoder(latents)
        return logits

    def classify(self, hidden: Tensor, latents: Tensor) -> Tensor:
        """Return class logits [N, classes] from hidden units or from latent vectors, whichever is configured."""
        logits: Tensor = self.classifier(hidden if self.classifies_hidden else latents)
        return logits

    def measure_reconstruction(self, latents: Tensor, vectors: Tensor) -> Tensor:
        """Return the reconstruction loss of vectors [N, D] from their latent vectors [N, z_dim] (eq. 1)."""
        return losses.gaussian_reconstruction(self._decode_standardised(latents), self.standardise(vectors))

    def _decode_standardised(self, latents: Tensor) -> Tensor:
        dense1, dense2 = self.decoder
        standardised: Tensor = dense2(self._activate(dense1(latents)))  # [N, D]
        return standardised

    def _activate(self, values: Tensor) -> Tensor:
        return activate(values, self.negative_slope)

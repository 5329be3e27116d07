"""The networks for photographs: a variational autoencoder whose encoder reads fixed features of patches."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vaetui.engine.batch_norm import BatchNorm
from vaetui.engine.config import NetworkConfig
from vaetui.engine.downsampling import compute_downsampled_shape
from vaetui.engine.images import Images
from vaetui.engine.patch_features import PatchFeatures
from vaetui.engine.vae import VAE, Encoding, build_encoding

FEATURE_WIDTH = 192
"""Numbers that describe an image; with 64, propagated labels were 1 to 3 points worse."""
SECOND_VIEW_STEP = 2
"""Of a second view of a downsampled image, every second patch along each side is read: a quarter of the time."""


class PatchVAE(VAE):
    """A `VAE` with dense layers on `PatchFeatures` in place of the convolutions of the encoder."""

    def __init__(self, config: NetworkConfig, shape: tuple[int, ...]) -> None:
        """Create networks for images of `shape`: (height, width) or (height, width, 3)."""
        super().__init__(config, shape)
        self.component_count = config.z_dim if config.clustered == "components" else 0
        width = max(FEATURE_WIDTH, config.z_dim)
        shape = compute_downsampled_shape(shape, self.downsampling)
        self.patch_features = PatchFeatures(shape, config.patch_filters, width, mirror=config.patch_mirror)
        self.encoder = nn.ModuleList(
            [nn.Linear(width, config.hidden_units), nn.Linear(config.hidden_units, 2 * config.z_dim)]
        )
        self.norms = nn.ModuleList([BatchNorm(config.hidden_units) if config.batch_norm else nn.Identity()])

    def fit_to_images(self, images: Images, seed: int) -> None:
        """Find the filters from the training images."""
        self.patch_features.fit(images, seed, self.downsampling)

    def encode(self, images: Tensor) -> Encoding:
        """Return q(z | x) of images [N, 1, H, W] or [N, 3, H, W], values from 0 to 1, and what is clustered."""
        return self._encode_features(self.patch_features(self.downsample(images)))

    def encode_views(self, images: Tensor, second_views: Tensor) -> Encoding:
        """Return q(z | x) of images and then of a second view of each; if downsampled, the latter by fewer patches."""
        if self.downsampling == 1:
            return self.encode(torch.cat([images, second_views]))
        features = self.patch_features(self.downsample(images))
        second_features = self.patch_features(self.downsample(second_views), SECOND_VIEW_STEP)
        return self._encode_features(torch.cat([features, second_features]))

    def _encode_features(self, features: Tensor) -> Encoding:
        """Return q(z | x) from features [N, width], principal components in descending order."""
        dense1, dense2 = self.encoder
        hidden = self._activate(self.norms[0](dense1(features)))  # [N, hidden_units]
        components = features[:, : self.component_count] if self.component_count else None
        return build_encoding(hidden, dense2)._replace(components=components)

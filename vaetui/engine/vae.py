"""The networks: a variational autoencoder with a classifier on its latent vectors (paper, figure 1).

It does not know losses, clusters or answers.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vaetui.engine.config import NetworkConfig


class Encoding(NamedTuple):
    """What the encoder makes of N images."""

    hidden: Tensor
    """The last units before the latent vector, [N, hidden]."""
    mean: Tensor
    """The mean of q(z | x), [N, z_dim]."""
    std: Tensor
    """Its standard deviation, [N, z_dim]."""


class VAE(nn.Module):
    """Encoder, decoder and classifier for images of one size, grey or in colour.

    Activations and kernels lie in memory channels-last and the dense layers read that order as it is, which
    spares two copies a batch.
    """

    def __init__(self, config: NetworkConfig, shape: tuple[int, ...]) -> None:
        """Make the networks for images of `shape` (height, width), in colour (height, width, 3)."""
        super().__init__()
        first, second = config.channels
        full, colours = (shape[0], shape[1]), count_channels(shape)
        half = _downsampled_size(full)
        self.feature_size = _downsampled_size(half)
        flat = second * self.feature_size[0] * self.feature_size[1]
        self.negative_slope = config.negative_slope
        self.feature_channels = second
        self.encoder = nn.ModuleList(
            [
                nn.Conv2d(colours, first, 3, stride=2, padding=1),
                nn.Conv2d(first, second, 3, stride=2, padding=1),
                nn.Linear(flat, config.hidden_units),
                nn.Linear(config.hidden_units, 2 * config.z_dim),
            ]
        )
        self.decoder = nn.ModuleList(
            [
                nn.Linear(config.z_dim, config.hidden_units),
                nn.Linear(config.hidden_units, flat),
                nn.ConvTranspose2d(
                    second, first, 3, stride=2, padding=1, output_padding=_output_padding(self.feature_size, half)
                ),
                nn.ConvTranspose2d(first, colours, 3, stride=2, padding=1, output_padding=_output_padding(half, full)),
            ]
        )
        self.classifies_hidden = config.classifier_input == "hidden"
        self.classifier = nn.Linear(config.hidden_units if self.classifies_hidden else config.z_dim, config.classes)
        self.norms = nn.ModuleList([nn.BatchNorm2d(first), nn.BatchNorm2d(second), nn.BatchNorm1d(config.hidden_units)])
        if not config.batch_norm:
            self.norms = nn.ModuleList([nn.Identity()] * 3)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, images: Tensor) -> Encoding:
        """Give q(z | x) of images [N, 1, H, W], in colour [N, 3, H, W], in 0 to 1."""
        conv1, conv2, dense1, dense2 = self.encoder
        norm1, norm2, norm3 = self.norms
        hidden = self._activation(norm1(conv1(images)))  # [N, 64, 14, 14]
        hidden = self._activation(norm2(conv2(hidden)))  # [N, 128, 7, 7]
        hidden = self._activation(norm3(dense1(hidden.permute(0, 2, 3, 1).flatten(1))))  # [N, 32]
        mean, raw = dense2(hidden).chunk(2, dim=1)  # 2 x [N, z_dim]
        return Encoding(hidden, mean, F.softplus(raw) + 1e-6)  # a deviation of exactly 0 would have no logarithm

    def decode(self, latents: Tensor) -> Tensor:
        """Give the logits of the pixels, as images have them, of latent vectors [N, z_dim]."""
        dense1, dense2, conv1, conv2 = self.decoder
        hidden = self._activation(dense2(self._activation(dense1(latents))))  # [N, 6272]
        hidden = hidden.view(-1, *self.feature_size, self.feature_channels).permute(0, 3, 1, 2)  # [N, 128, 7, 7]
        logits: Tensor = conv2(self._activation(conv1(hidden)))  # [N, 1, 28, 28]
        return logits

    def classify(self, hidden: Tensor, latents: Tensor) -> Tensor:
        """Give the logits of the classes, [N, classes], of latent vectors [N, z_dim] or the units before them."""
        logits: Tensor = self.classifier(hidden if self.classifies_hidden else latents)
        return logits

    def _activation(self, values: Tensor) -> Tensor:
        # In place: the slope is above 0, so the gradient can be told from the result, and a pass over memory is saved.
        return F.leaky_relu(values, self.negative_slope, inplace=True)


def build_vae(config: NetworkConfig, shape: tuple[int, ...], seed: int) -> VAE:
    """Make the networks with initial weights drawn from the seed and biases 0."""
    vae = VAE(config, shape)
    draw = torch.Generator().manual_seed(seed)
    for name, parameter in vae.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
        elif parameter.dim() == 1:
            nn.init.ones_(parameter)  # the factors of a normalisation
        elif config.weight_init == "normal":
            nn.init.normal_(parameter, std=0.02, generator=draw)
        else:
            nn.init.xavier_uniform_(parameter, generator=draw)
    return vae


def count_channels(shape: tuple[int, ...]) -> int:
    """Count the colours of images of `shape` (height, width) or (height, width, 3)."""
    return shape[2] if len(shape) == 3 else 1


def to_float_images(pixels: Tensor) -> Tensor:
    """Turn bytes [N, H, W] or [N, H, W, 3] into what the networks read: [N, 1, H, W] or [N, 3, H, W] in 0 to 1."""
    layers = pixels.unsqueeze(1) if pixels.dim() == 3 else pixels.permute(0, 3, 1, 2)
    return layers.float().div_(255)


def to_byte_images(images: Tensor) -> Tensor:
    """Turn images as `scale` gives them into bytes."""
    pixels = images.mul(255).round().to(torch.uint8)
    return pixels.squeeze(1) if pixels.shape[1] == 1 else pixels.permute(0, 2, 3, 1).contiguous()


def _downsampled_size(shape: tuple[int, int]) -> tuple[int, int]:
    """Give the size after a 3x3 convolution with stride 2 and padding 1."""
    return (shape[0] + 1) // 2, (shape[1] + 1) // 2


def _output_padding(input_size: tuple[int, int], output_size: tuple[int, int]) -> tuple[int, int]:
    """Tell by how much a transposed convolution with stride 2 would fall short of the size wanted."""
    return output_size[0] - (2 * input_size[0] - 1), output_size[1] - (2 * input_size[1] - 1)

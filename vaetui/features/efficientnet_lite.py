"""EfficientNet-Lite0, an image network that was trained on ImageNet, from its layers to the vector of an image.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019, and the
EfficientNet-Lite of TensorFlow's TPU models: without squeeze-and-excitation, and with ReLU6.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

POOLED_WIDTH = 1_280
"""Channels of the last layer."""
STEM_CHANNELS = 32
"""Channels after the first convolution."""
FIRST_POOLED_STAGE = 2
"""Of this stage, from 0, and the later ones, the means are a part of the vector: fine structures, by which for example
cells differ, are lost in the last layer."""
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, side of the kernel, stride of the first block, expansion of channels, and output channels of each stage."""
BATCH_NORM_EPS = 1e-3
"""Added to the variances of the batch normalisation during the training of the weights."""


class Convolution(nn.Conv2d):
    """A convolution with the padding "same" of TensorFlow, into which its batch normalisation is folded, and ReLU6."""

    def __init__(self, in_channels: int, out_channels: int, side: int, stride: int = 1, *, groups: int = 1) -> None:
        """Create the layer; `groups` is 1, or the number of channels."""
        super().__init__(in_channels, out_channels, side, stride, side // 2 if stride == 1 else 0, groups=groups)
        self.is_linear = False
        """Whether ReLU6 is left out."""

    def forward(self, images: Tensor) -> Tensor:
        """Return the activations, [B, C, ceil(H / stride), ceil(W / stride)]."""
        side, stride = self.kernel_size[0], self.stride[0]
        if stride > 1:  # the padding of TensorFlow is larger at the right and bottom
            padding: list[int] = []
            for length in (images.shape[3], images.shape[2]):
                total = max((-(-length // stride) - 1) * stride + side - length, 0)
                padding += [total // 2, total - total // 2]
            images = nn.functional.pad(images, padding)
        activations = super().forward(images)
        return activations if self.is_linear else nn.functional.relu6(activations, inplace=True)


class InvertedResidual(nn.Module):
    """Expand the channels, filter each one, and reduce them again (Sandler et al., MobileNetV2, 2018)."""

    def __init__(self, in_channels: int, out_channels: int, side: int, stride: int, expansion: int) -> None:
        """Create the layers."""
        super().__init__()
        hidden_channels = expansion * in_channels
        self.layers = nn.Sequential()
        if expansion > 1:
            self.layers.append(Convolution(in_channels, hidden_channels, 1))
        self.layers.append(Convolution(hidden_channels, hidden_channels, side, stride, groups=hidden_channels))
        reduction = Convolution(hidden_channels, out_channels, 1)
        reduction.is_linear = True
        self.layers.append(reduction)
        self.is_residual = stride == 1 and in_channels == out_channels
        """Whether the input is added to the output."""

    def forward(self, activations: Tensor) -> Tensor:
        """Return the activations after the block."""
        output: Tensor = self.layers(activations)
        return activations + output if self.is_residual else output


class EfficientNetLite0(nn.Module):
    """The network without its last layer, which predicts the classes of ImageNet."""

    def __init__(self) -> None:
        """Create the layers with random weights."""
        super().__init__()
        self.stem = Convolution(3, STEM_CHANNELS, 3, 2)
        self.stages = nn.ModuleList()
        channels = STEM_CHANNELS
        for block_count, side, stride, expansion, out_channels in STAGES:
            stage = nn.Sequential()
            for index in range(block_count):
                block_stride = stride if index == 0 else 1
                stage.append(InvertedResidual(channels, out_channels, side, block_stride, expansion))
                channels = out_channels
            self.stages.append(stage)
        self.head = Convolution(channels, POOLED_WIDTH, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return vectors [B, 2024] of images [B, 3, H, W], whose pixels are (pixel - 127) / 128.

        A vector consists of two parts of length 1: the roots of the means of the last layer, and the means of the last
        five stages.
        """
        activations = self.stem(images)
        stage_means = []
        for index, stage in enumerate(self.stages):
            activations = stage(activations)
            if index >= FIRST_POOLED_STAGE:
                stage_means.append(activations.mean((2, 3)))
        pooled = self.head(activations).mean((2, 3))  # [B, 1280], at least 0
        parts = (pooled.sqrt(), torch.cat(stage_means, dim=1))
        return torch.cat([nn.functional.normalize(part) for part in parts], dim=1)


def load_efficientnet_lite0(weights: Path) -> EfficientNetLite0:
    """Return the network with the weights of a file, its batch normalisations folded into the convolutions.

    Convolutions and normalisations lie in the file in the order of the layers. Raises ValueError for another file.
    """
    state = torch.load(weights, map_location="cpu", weights_only=True)
    kernels = [tensor for name, tensor in state.items() if name.endswith(".weight") and tensor.ndim == 4]
    norms = [name.removesuffix("running_mean") for name in state if name.endswith(".running_mean")]
    network = EfficientNetLite0().eval().requires_grad_(False)
    convolutions = [module for module in network.modules() if isinstance(module, Convolution)]
    for convolution, kernel, norm in zip(convolutions, kernels, norms, strict=True):
        scale = state[f"{norm}weight"] / torch.sqrt(state[f"{norm}running_var"] + BATCH_NORM_EPS)
        assert convolution.bias is not None
        convolution.weight.copy_(kernel * scale[:, None, None, None])
        convolution.bias.copy_(state[f"{norm}bias"] - state[f"{norm}running_mean"] * scale)
    # Convolutions of few channels are several times as fast with the channels of a pixel beside each other.
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

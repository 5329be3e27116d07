"""The networks: a variational autoencoder with a classifier (paper, figure 1)."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vaetui.engine import losses
from vaetui.engine.batch_norm import BatchNorm
from vaetui.engine.config import NetworkConfig, find_downsampling
from vaetui.engine.downsampling import average_squares, compute_downsampled_shape, downsample, enlarge


class Encoding(NamedTuple):
    """Output of the encoder for N images."""

    hidden: Tensor
    """Hidden units before the latent vector, [N, hidden_units]."""
    mean: Tensor
    """Mean of q(z | x), [N, z_dim]."""
    std: Tensor
    """Standard deviation of q(z | x), [N, z_dim]."""
    components: Tensor | None = None
    """What is clustered and linked in place of the latent vectors, [N, z_dim]; None if these are."""


class ImageDecoder(nn.ModuleList):
    """Decoder of latent vectors to images of one size, grey or in colour.

    Activations and kernels are channels-last in memory. Shapes in comments are those of the paper's configuration with
    28x28 images.
    """

    def __init__(self, config: NetworkConfig, shape: tuple[int, ...]) -> None:
        """Create a decoder to images of `shape`: (height, width) or (height, width, 3)."""
        conv1_channels, conv2_channels = config.decoder_channels or config.channels
        image_size, hidden_units = (shape[0], shape[1]), config.hidden_units
        half_size = _compute_convolved_size(image_size)
        feature_size = _compute_convolved_size(half_size)
        feature_count = conv2_channels * feature_size[0] * feature_size[1]
        first_padding = _compute_output_padding(feature_size, half_size)
        second_padding = _compute_output_padding(half_size, image_size)
        upconv1 = nn.ConvTranspose2d(
            conv2_channels, conv1_channels, 3, stride=2, padding=1, output_padding=first_padding
        )
        upconv2 = nn.ConvTranspose2d(
            conv1_channels, count_channels(shape), 3, stride=2, padding=1, output_padding=second_padding
        )
        super().__init__(
            [nn.Linear(config.z_dim, hidden_units), nn.Linear(hidden_units, feature_count), upconv1, upconv2]
        )
        self.feature_size, self.feature_channels = feature_size, conv2_channels
        self.negative_slope = config.negative_slope
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, latents: Tensor) -> Tensor:
        """Return pixel logits [N, 1, H, W] or [N, 3, H, W] of latent vectors [N, z_dim]."""
        dense1, dense2, conv1, conv2 = self
        assert isinstance(conv2, nn.ConvTranspose2d)
        activations = activate(dense2(activate(dense1(latents), self.negative_slope)), self.negative_slope)  # [N, 6272]
        activations = activations.view(-1, *self.feature_size, self.feature_channels)
        activations = activations.permute(0, 3, 1, 2)  # [N, 128, 7, 7]
        if activations.device.type == "mps":
            activations = activations.contiguous()  # its operations are not reliable with channels-last activations
        activations = activate(conv1(activations), self.negative_slope)  # [N, 64, 14, 14]
        return upsample(activations, conv2)  # [N, 1, 28, 28]


class VAE(nn.Module):
    """Encoder, decoder and classifier for images of one size, grey or in colour.

    Images are downsampled by the configured factor before they are encoded, reconstructed in that size, and enlarged
    when they are shown. Activations and kernels are channels-last in memory, and the dense layers read that order
    directly, which saves two copies per batch. Shapes in comments are those of the paper's configuration with 28x28
    images.
    """

    def __init__(self, config: NetworkConfig, shape: tuple[int, ...]) -> None:
        """Create networks for images of `shape`: (height, width) or (height, width, 3)."""
        super().__init__()
        self.downsampling, self._whole_size = find_downsampling(config, shape), (shape[0], shape[1])
        shape = compute_downsampled_shape(shape, self.downsampling)
        conv1_channels, conv2_channels = config.channels
        image_size, image_channels = (shape[0], shape[1]), count_channels(shape)
        self._image_size = image_size
        half_size = _compute_convolved_size(image_size)
        feature_size = _compute_convolved_size(half_size)
        feature_count = conv2_channels * feature_size[0] * feature_size[1]
        self.negative_slope = config.negative_slope
        hidden_units = config.hidden_units
        conv1 = nn.Conv2d(image_channels, conv1_channels, 3, stride=2, padding=1)
        conv2 = nn.Conv2d(conv1_channels, conv2_channels, 3, stride=2, padding=1)
        self.encoder = nn.ModuleList(
            [conv1, conv2, nn.Linear(feature_count, hidden_units), nn.Linear(hidden_units, 2 * config.z_dim)]
        )
        self.decoder = ImageDecoder(config, shape)
        self.classifies_hidden = config.classifier_input == "hidden"
        self.classifier = nn.Linear(hidden_units if self.classifies_hidden else config.z_dim, config.classes)
        norms = [BatchNorm(conv1_channels), BatchNorm(conv2_channels), BatchNorm(hidden_units)]
        self.norms = nn.ModuleList(norms if config.batch_norm else [nn.Identity()] * 3)
        self.cluster_heads: nn.Linear | None = None
        self._head_shape = config.cluster_heads, config.head_clusters
        if config.cluster_heads:
            self.cluster_heads = nn.Linear(hidden_units, config.cluster_heads * config.head_clusters)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, images: Tensor) -> Encoding:
        """Return q(z | x) of images [N, 1, H, W] or [N, 3, H, W], values from 0 to 1, whole or downsampled."""
        images = self.downsample(images)
        conv1, conv2, dense1, dense2 = self.encoder
        norm1, norm2, norm3 = self.norms
        activations = self._activate(norm1(conv1(images)))  # [N, 64, 14, 14]
        activations = self._activate(norm2(conv2(activations)))  # [N, 128, 7, 7]
        hidden = self._activate(norm3(dense1(activations.permute(0, 2, 3, 1).flatten(1))))  # [N, 32]
        return build_encoding(hidden, dense2)

    def encode_views(self, images: Tensor, second_views: Tensor) -> Encoding:
        """Return q(z | x) of images [N, C, H, W] and then of a second view of each, [2 N, ...], for training."""
        return self.encode(torch.cat([images, second_views]))

    def downsample(self, images: Tensor) -> Tensor:
        """Return whole images [N, C, H, W] in the size that is encoded; images that have it are returned unchanged."""
        return images if tuple(images.shape[2:]) == self._image_size else downsample(images, self.downsampling)

    def decode(self, latents: Tensor) -> Tensor:
        """Return pixel logits [N, 1, H, W] or [N, 3, H, W] of the downsampled images of latent vectors [N, z_dim]."""
        logits: Tensor = self.decoder(latents)
        return logits

    def classify(self, hidden: Tensor, latents: Tensor) -> Tensor:
        """Return class logits [N, classes] from hidden units or from latent vectors, whichever is configured."""
        logits: Tensor = self.classifier(hidden if self.classifies_hidden else latents)
        return logits

    def assign_clusters(self, hidden: Tensor) -> Tensor:
        """Return the probabilities of the soft clusters of each head, [N, heads, K], from hidden units."""
        assert self.cluster_heads is not None
        logits: Tensor = self.cluster_heads(hidden)
        return logits.float().view(-1, *self._head_shape).softmax(dim=2)

    def decode_images(self, latents: Tensor) -> Tensor:
        """Return pixel logits [N, 1, H, W] or [N, 3, H, W] of whole images from latent vectors [N, z_dim]."""
        return enlarge(self.decode(latents), self.downsampling, self._whole_size)

    def measure_reconstruction(self, latents: Tensor, images: Tensor) -> Tensor:
        """Return the reconstruction loss of images [N, C, H, W], downsampled, from latents [N, z_dim] (eq. 1).

        It is multiplied by the factor of the downsampling, so that the fewer pixels do not weigh too little beside the
        other losses. Coloured digits of 64x64 pixels lost their colour without it; with its square, five neighbours
        agreed on as few classes as without downsampling.
        """
        return self.downsampling * losses.reconstruction(self.decode(latents), self.downsample(images))

    def _activate(self, values: Tensor) -> Tensor:
        return activate(values, self.negative_slope)


def build_encoding(hidden: Tensor, dense: nn.Module) -> Encoding:
    """Return q(z | x) from hidden units [N, hidden_units] and the last layer of an encoder."""
    mean, raw_std = dense(hidden).float().chunk(2, dim=1)  # 2 x [N, z_dim]
    return Encoding(hidden, mean, F.softplus(raw_std) + 1e-6)  # above 0, because the loss takes the logarithm


def activate(values: Tensor, negative_slope: float) -> Tensor:
    """Apply a leaky ReLU to the values."""
    # In place saves a pass over memory; autograd allows it, because the slope is above 0.
    return F.leaky_relu(values, negative_slope, inplace=True)


# Output row 2 i is input row i times kernel row 1; row 2 i + 1 is row i times kernel row 2 plus row i + 1 times kernel
# row 0. The same holds for columns. Index 9 of the flat kernel stands for a weight of 0.
_UPSAMPLING_ROWS = ((1, None), (2, 0))
_UPSAMPLING_INDICES = torch.tensor(
    [
        9 if row is None or column is None else 3 * row + column
        for rows, columns in itertools.product(_UPSAMPLING_ROWS, repeat=2)
        for row, column in itertools.product(rows, columns)
    ]
)


class _UpsamplingConvolution(torch.autograd.Function):
    """A transposed 3x3 convolution of stride 2 and padding 1 to few channels.

    The CPU kernels for it are slow in the forward direction, so that one is a convolution with 2x2 kernels to the four
    output pixels of each input pixel.
    """

    @staticmethod
    def forward(inputs: Tensor, weight: Tensor, bias: Tensor, output_padding: tuple[int, int]) -> Tensor:
        weights = F.pad(weight.flatten(2), (0, 1)).index_select(2, _UPSAMPLING_INDICES)  # [I, O, 16]
        kernels = weights.view(*weight.shape[:2], 4, 2, 2).permute(2, 1, 0, 3, 4).flatten(0, 1)  # [4 O, I, 2, 2]
        kernels = kernels.contiguous(memory_format=torch.channels_last)
        pixels = F.conv2d(F.pad(inputs, (0, 1, 0, 1)), kernels, bias.repeat(4))  # [N, 4 O, H, W]
        count, channels, height, width = pixels.shape
        pixels = pixels.permute(0, 2, 3, 1).reshape(count, height, width, 2, 2, channels // 4).transpose(2, 3)
        pixels = pixels.reshape(count, 2 * height, 2 * width, channels // 4).permute(0, 3, 1, 2)
        return pixels[:, :, : 2 * height - 1 + output_padding[0], : 2 * width - 1 + output_padding[1]]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor, tuple[int, int]], output: Tensor) -> None:
        values, weight, _, ctx.output_padding = inputs
        ctx.save_for_backward(values, weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        inputs, weight = ctx.saved_tensors
        # Arguments: bias sizes, stride, padding, dilation, transposed, output padding, groups, which gradients.
        geometry = ([weight.shape[1]], [2, 2], [1, 1], [1, 1], True, list(ctx.output_padding), 1, [True, True, True])
        return *torch.ops.aten.convolution_backward(gradient, inputs, weight, *geometry), None


def upsample(activations: Tensor, convolution: nn.ConvTranspose2d) -> Tensor:
    """Apply a transposed 3x3 convolution of stride 2 and padding 1 to few channels."""
    is_reduced = torch.is_autocast_enabled("cpu")  # the operands of the gradient would have two types
    if activations.device.type != "cpu" or torch.compiler.is_compiling() or is_reduced:
        output: Tensor = convolution(activations)
        return output
    arguments = (activations, convolution.weight, convolution.bias, convolution.output_padding)
    return _UpsamplingConvolution.apply(*arguments)  # type: ignore[no-any-return, no-untyped-call]


def count_channels(shape: tuple[int, ...]) -> int:
    """Return the number of channels of images of `shape`: (height, width) or (height, width, 3)."""
    return shape[2] if len(shape) == 3 else 1


def to_float_images(pixels: Tensor, downsampling: int = 1) -> Tensor:
    """Return bytes [N, H, W] or [N, H, W, 3] as input of the networks: [N, 1, H, W] or [N, 3, H, W] from 0 to 1.

    The images are downsampled by a factor.
    """
    if downsampling > 1:
        pixels = average_squares(pixels, downsampling)
    images = pixels.unsqueeze(1) if pixels.dim() == 3 else pixels.permute(0, 3, 1, 2)
    return images.float().div_(255)


def to_byte_images(images: Tensor) -> Tensor:
    """Return images [N, 1, H, W] or [N, 3, H, W] from 0 to 1 as bytes [N, H, W] or [N, H, W, 3]."""
    pixels = images.mul(255).round().to(torch.uint8)
    return pixels.squeeze(1) if pixels.shape[1] == 1 else pixels.permute(0, 2, 3, 1).contiguous()


def _compute_convolved_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size after a 3x3 convolution with stride 2 and padding 1."""
    return (size[0] + 1) // 2, (size[1] + 1) // 2


def _compute_output_padding(input_size: tuple[int, int], output_size: tuple[int, int]) -> tuple[int, int]:
    """Return the padding with which a transposed 3x3 convolution of stride 2 reaches the output size."""
    return output_size[0] - (2 * input_size[0] - 1), output_size[1] - (2 * input_size[1] - 1)

"""Tests of the shapes and the initial weights of the networks."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from vaetui.engine.config import NetworkConfig
from vaetui.engine.networks import build_networks
from vaetui.engine.vae import to_byte_images, to_float_images, upsample


def test_default_network_has_the_shapes_of_the_paper() -> None:
    vae = build_networks(NetworkConfig(), (28, 28), 0)
    assert {name: tuple(parameter.shape) for name, parameter in vae.named_parameters() if parameter.ndim > 1} == {
        "encoder.0.weight": (64, 1, 3, 3),
        "encoder.1.weight": (128, 64, 3, 3),
        "encoder.2.weight": (32, 6272),
        "encoder.3.weight": (20, 32),
        "decoder.0.weight": (32, 10),
        "decoder.1.weight": (6272, 32),
        "decoder.2.weight": (128, 64, 3, 3),
        "decoder.3.weight": (64, 1, 3, 3),
        "classifier.weight": (10, 10),
    }


@pytest.mark.parametrize("shape", [(28, 28), (8, 8), (9, 31), (64, 33)])
def test_decoded_images_have_the_size_of_the_encoded_ones(shape: tuple[int, int]) -> None:
    vae = build_networks(NetworkConfig(z_dim=3, channels=(4, 6)), shape, 0)
    hidden, mean, std, _ = vae.encode(torch.rand(5, 1, *shape))
    assert mean.shape == std.shape == (5, 3)
    assert (std > 0).all()
    assert vae.decode(mean).shape == (5, 1, *shape)
    assert vae.classify(hidden, mean).shape == (5, 10)


def test_decoder_may_have_fewer_channels_than_the_encoder() -> None:
    config = NetworkConfig(z_dim=3, channels=(4, 6), decoder_channels=(2, 5))
    vae = build_networks(config, (20, 9), 0)
    assert [tuple(layer.weight.shape[:2]) for layer in vae.decoder][2:] == [(5, 2), (2, 1)]
    assert tuple(vae.encoder[1].weight.shape[:2]) == (6, 4)
    assert vae.decode(vae.encode(torch.rand(5, 1, 20, 9)).mean).shape == (5, 1, 20, 9)


def test_colour_images_are_decoded_in_colour() -> None:
    vae = build_networks(NetworkConfig(z_dim=3, channels=(4, 6)), (20, 9, 3), 0)
    pixels = torch.randint(0, 256, (5, 20, 9, 3), dtype=torch.uint8)
    mean = vae.encode(to_float_images(pixels)).mean
    assert to_byte_images(vae.decode(mean).sigmoid()).shape == pixels.shape


def test_bytes_survive_the_conversion_to_floats() -> None:
    pixels = torch.randint(0, 256, (5, 20, 9, 3), dtype=torch.uint8)
    assert torch.equal(to_byte_images(to_float_images(pixels)), pixels)
    grey = pixels[..., 0]
    assert torch.equal(to_byte_images(to_float_images(grey)), grey)


def test_initial_weights_are_glorot_or_normal_and_biases_0() -> None:
    glorot, normal = (
        dict(build_networks(config, (28, 28), 3).named_parameters())
        for config in (NetworkConfig(weight_init="glorot"), NetworkConfig(weight_init="normal"))
    )
    weight = glorot["encoder.2.weight"]
    limit = math.sqrt(6 / (6272 + 32))
    assert weight.abs().max() <= limit
    assert weight.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.02)
    assert normal["encoder.2.weight"].std().item() == pytest.approx(0.02, rel=0.02)
    assert all(not parameter.any() for name, parameter in glorot.items() if name.endswith("bias"))


def test_seed_determines_the_initial_weights() -> None:
    first, same, other = (build_networks(NetworkConfig(), (12, 12), seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(first["encoder.1.weight"], same["encoder.1.weight"])
    assert not torch.equal(first["encoder.1.weight"], other["encoder.1.weight"])


@pytest.mark.parametrize("output_padding", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_upsampling_to_pixels_equals_a_transposed_convolution(output_padding: tuple[int, int]) -> None:
    convolution = nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=output_padding).double()
    inputs = torch.randn(2, 4, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    expected, output = convolution(inputs), upsample(inputs, convolution)
    assert torch.allclose(output, expected)
    gradient, leaves = torch.rand_like(expected), (inputs, *convolution.parameters())
    for first, second in zip(
        torch.autograd.grad(output, leaves, gradient), torch.autograd.grad(expected, leaves, gradient), strict=True
    ):
        assert torch.allclose(first, second)
    assert torch.autograd.gradcheck(lambda values: upsample(values, convolution), inputs)


def test_upsampling_to_pixels_computes_with_bfloat16_where_that_is_configured() -> None:
    convolution, inputs = nn.ConvTranspose2d(4, 1, 3, stride=2, padding=1), torch.rand(2, 4, 5, 3)
    with torch.autocast("cpu", torch.bfloat16):
        output = upsample(inputs, convolution)
    output.float().sum().backward()
    assert convolution.weight.grad is not None
    assert torch.allclose(output.float(), upsample(inputs, convolution), atol=0.02)

"""Tests of smaller copies of images, and of the networks that read them."""

from __future__ import annotations

import math

import pytest
import torch

from vaetui.engine.downsampling import average_squares, compute_downsampled_shape, downsample, enlarge
from vaetui.engine.networks import build_networks
from vaetui.engine.recipes import get_recipe
from vaetui.engine.vae import to_byte_images, to_float_images


def test_pixels_are_means_over_squares_and_over_their_parts_at_the_border() -> None:
    pixels = torch.tensor([[[0, 2, 10], [4, 6, 20], [100, 200, 255]]], dtype=torch.uint8)  # [1, 3, 3]
    assert average_squares(pixels, 2).tolist() == [[[3.0, 15.0], [150.0, 255.0]]]


@pytest.mark.parametrize("shape", [(5, 7), (64, 64, 3), (33, 64, 3), (3, 2, 3)])
@pytest.mark.parametrize("factor", [1, 2, 3, 9])
def test_bytes_and_floats_are_downsampled_alike(shape: tuple[int, ...], factor: int) -> None:
    pixels = torch.randint(0, 256, (2, *shape), dtype=torch.uint8)
    averages = average_squares(pixels, factor)
    assert averages.shape[1:] == compute_downsampled_shape(shape, factor)
    channels = pixels[..., None] if len(shape) == 2 else pixels
    images = downsample(channels.permute(0, 3, 1, 2).float(), factor).permute(0, 2, 3, 1)
    assert torch.allclose(averages, images.view(averages.shape), atol=1e-3)


def test_pixels_of_255_do_not_overflow() -> None:
    pixels = torch.full((1, 64, 64, 3), 255, dtype=torch.uint8)
    assert (average_squares(pixels, 64) == 255).all()


def test_enlarged_images_have_their_size_and_their_place() -> None:
    images = torch.zeros(1, 1, 9, 5)
    images[:, :, 8] = 1  # the last row stands for the one pixel that is left over
    enlarged = enlarge(images, 4, (33, 20))
    assert enlarged.shape == (1, 1, 33, 20)
    assert (enlarged[:, :, 32] > 0.5).all()
    assert not enlarged[:, :, :30].any()


SIZES = [
    (8, 8),
    (27, 90),
    (28, 28),
    (55, 60),
    (56, 56),
    (64, 64),
    (64, 200),
    (65, 91),
    (96, 128),
    (129, 129),
    (256, 70),
]
"""Sizes of which some are no multiple of the factor that is chosen."""


@pytest.mark.parametrize("recipe", ["propagation", "photos"])
@pytest.mark.parametrize("size", SIZES)
def test_images_of_any_size_are_decoded_in_that_size(size: tuple[int, int], recipe: str) -> None:
    for shape in (size, (*size, 3)):
        vae = build_networks(get_recipe(recipe).network, shape, 0).eval()
        pixels = torch.randint(0, 256, (2, *shape), dtype=torch.uint8)
        mean = vae.encode(to_float_images(pixels)).mean
        assert to_byte_images(vae.decode_images(mean).sigmoid()).shape == pixels.shape
        assert vae.measure_reconstruction(mean, to_float_images(pixels)).isfinite()


@pytest.mark.parametrize(
    ("size", "factor", "inner_size"),
    [((28, 28), 1, (28, 28)), ((55, 300), 1, (55, 300)), ((64, 64), 2, (32, 32)), ((256, 100), 3, (86, 34))],
)
def test_large_images_are_downsampled_to_at_least_28_pixels(
    size: tuple[int, int], factor: int, inner_size: tuple[int, int]
) -> None:
    vae = build_networks(get_recipe("propagation").network, (*size, 3), 0)
    assert vae.downsampling == factor
    assert vae.decode(torch.zeros(1, 16)).shape == (1, 3, *inner_size)


def test_networks_of_the_paper_read_all_pixels_of_large_images() -> None:
    vae = build_networks(get_recipe("paper").network, (64, 64), 0)
    assert vae.decode(torch.zeros(1, 10)).shape == (1, 1, 64, 64)


@pytest.mark.parametrize("recipe", ["propagation", "photos"])
def test_whole_and_downsampled_images_are_encoded_alike(recipe: str) -> None:
    vae = build_networks(get_recipe(recipe).network, (65, 91, 3), 0).eval()
    pixels = torch.randint(0, 256, (3, 65, 91, 3), dtype=torch.uint8)
    whole, downsampled = to_float_images(pixels), to_float_images(pixels, 2)
    assert downsampled.shape == (3, 3, 33, 46)
    assert torch.allclose(vae.encode(whole).mean, vae.encode(downsampled).mean, atol=1e-4)
    latents = torch.randn(3, vae.encode(whole).mean.shape[1])
    losses = [vae.measure_reconstruction(latents, images).item() for images in (whole, downsampled)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize(("side", "factor"), [(32, 1), (64, 2), (128, 4)])
def test_reconstruction_of_downsampled_images_is_multiplied_by_the_factor(side: int, factor: int) -> None:
    vae = build_networks(get_recipe("propagation").network, (side, side, 3), 0)
    with torch.no_grad():
        for parameter in vae.decoder.parameters():
            parameter.zero_()
    loss = vae.measure_reconstruction(torch.zeros(2, 16), torch.rand(2, 3, side, side))
    assert loss.item() == pytest.approx(factor * 32 * 32 * 3 * math.log(2), rel=1e-4)


@pytest.mark.parametrize(("side", "is_equal"), [(32, True), (64, False)])
def test_fewer_patches_are_read_of_second_views_of_large_images(side: int, is_equal: bool) -> None:
    vae = build_networks(get_recipe("photos").network, (side, side, 3), 0).eval()
    images, views = torch.rand(2, 3, 3, side, side)
    for buffer in vae.buffers():  # as if filters had been found
        if buffer.dim() > 1:
            torch.nn.init.normal_(buffer, generator=torch.Generator().manual_seed(0))
    means, apart = vae.encode_views(images, views).mean, [vae.encode(part).mean for part in (images, views)]
    assert torch.allclose(means[:3], apart[0], atol=1e-3)
    assert torch.allclose(means[3:], apart[1], atol=1e-3) == is_equal

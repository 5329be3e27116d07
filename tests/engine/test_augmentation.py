"""Tests of the second view of an image."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from vaetui.engine.augmentation import augment, build_warp_basis
from vaetui.engine.config import AugmentConfig
from vaetui.engine.recipes import get_recipe

IMAGES = torch.zeros(6, 1, 20, 30)
IMAGES[:, :, 8:12, 10:20] = 1
DISABLED = AugmentConfig()


def test_without_distortion_the_view_equals_the_image() -> None:
    assert not DISABLED.is_enabled
    assert torch.allclose(augment(IMAGES, DISABLED, 0, 1), IMAGES, atol=1e-5)


def test_view_depends_on_seed_and_position_and_differs_between_images() -> None:
    config = get_recipe("propagation").augmentation
    first, same, other = (augment(IMAGES, config, 5, 2, step) for step in (7, 7, 8))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])
    assert 0 <= first.min() <= first.max() <= 1


@pytest.mark.parametrize("name", ["rotate", "translate", "scale", "shear", "elastic"])
def test_each_distortion_alone_moves_pixels_and_keeps_most_of_the_image(name: str) -> None:
    config = replace(DISABLED, **{name: 10.0 if name == "rotate" else 0.1})
    assert config.is_enabled
    views = augment(IMAGES, config, 0)
    assert (views - IMAGES).abs().max() > 0.05
    assert float(views.sum()) == pytest.approx(float(IMAGES.sum()), rel=0.3)


def test_colour_jitter_changes_each_colour_image_differently_and_no_grey_image() -> None:
    config = replace(DISABLED, colour_jitter=0.5)
    coloured = IMAGES * torch.tensor([0.9, 0.2, 0.4]).view(3, 1, 1)
    assert torch.allclose(augment(IMAGES, config, 0), IMAGES, atol=1e-5)
    views = augment(coloured, config, 0)
    assert torch.equal(views, augment(coloured, config, 0))
    assert 0 <= views.min() <= views.max() <= 1
    colours = views[:, :, 10, 15]
    assert (colours - colours[0]).abs().amax(dim=1)[1:].min() > 0.05
    foreground = (views - views[:, :, :1, :1]).abs().amax(dim=1) > 0.02
    assert (foreground == (IMAGES[:, 0] > 0)).float().mean() > 0.9, "the shape stays visible"


def test_translation_stays_within_its_fraction_of_each_side() -> None:
    dots = torch.zeros(200, 1, 20, 30)
    dots[:, :, 10, 15] = 1
    views = augment(dots, replace(DISABLED, translate=0.1), 0)
    rows, columns = views.sum(dim=(0, 1, 3)).nonzero(), views.sum(dim=(0, 1, 2)).nonzero()
    assert (int(rows.min()), int(rows.max())) == (8, 12)
    assert (int(columns.min()), int(columns.max())) == (12, 18)


def test_crops_enlarge_a_part_of_the_image_and_add_no_border() -> None:
    ramp = torch.linspace(0.2, 0.8, 30).expand(300, 1, 20, 30).contiguous()
    views = augment(ramp, replace(DISABLED, crop=0.75), 0)
    assert views.shape == ramp.shape
    assert 0.2 - 1e-5 <= views[..., 1:-1, 1:-1].min() <= views.max() <= 0.8 + 1e-5, "no pixel from outside the image"
    shown_widths = (views[:, 0, 10, -2] - views[:, 0, 10, 1]) / (ramp[:, 0, 10, -2] - ramp[:, 0, 10, 1])
    assert shown_widths.min() > (0.25 * 3 / 4) ** 0.5 - 0.01
    assert shown_widths.max() <= 1 + 1e-4
    assert shown_widths.std() > 0.05


def test_blur_reduces_contrast_of_each_image_differently_and_keeps_its_mean() -> None:
    noise = torch.rand(50, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    views = augment(noise, replace(DISABLED, blur=1.0), 0)
    shares = views.std(dim=(1, 2, 3)) / noise.std(dim=(1, 2, 3))
    assert shares.min() > 0.3
    assert shares.max() <= 1.001
    assert shares.std() > 0.1
    assert torch.allclose(views.mean(dim=(1, 2, 3)), noise.mean(dim=(1, 2, 3)), atol=0.02)


@pytest.mark.parametrize("name", ["crop", "blur"])
def test_crop_and_blur_depend_on_seed_and_position(name: str) -> None:
    config = replace(DISABLED, **{name: 0.5})
    assert config.is_enabled
    first, same, other, reseeded = (augment(IMAGES, config, *position) for position in ((5, 7), (5, 7), (5, 8), (6, 7)))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert not torch.equal(first, reseeded)


def test_recipe_for_photographs_at_any_strength_returns_valid_pixels() -> None:
    images = torch.rand(20, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    for strength in (0.5, 3.0):
        views = augment(images, replace(get_recipe("photos").augmentation, strength=strength), 0)
        assert 0 <= views.min() <= views.max() <= 1


@pytest.mark.parametrize("size", [(28, 28), (20, 31), (1, 5)])
def test_warp_basis_sums_to_an_affine_grid_and_bicubic_displacements(size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    matrices, offsets = torch.randn(5, 2, 3, generator=generator), torch.randn(5, 2, 4, 4, generator=generator)
    grid = torch.cat([matrices, offsets.flatten(2)], 2) @ build_warp_basis(*size, torch.device("cpu"))
    affine = F.affine_grid(matrices, [5, 1, *size], align_corners=False).permute(0, 3, 1, 2)
    elastic = F.interpolate(offsets, size, mode="bicubic", align_corners=True)
    assert torch.allclose(grid.view(5, 2, *size), affine + elastic, atol=1e-5)


def test_view_of_an_image_does_not_depend_on_the_images_after_it() -> None:
    config = get_recipe("propagation").augmentation
    assert torch.allclose(augment(IMAGES[:2], config, 0, 1), augment(IMAGES, config, 0, 1)[:2], atol=1e-6)

"""A second view of an image: warped a little, the same from the same place."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from vaetui.engine.augmentation import augment
from vaetui.engine.config import AugmentConfig
from vaetui.engine.recipes import get_recipe

IMAGES = torch.zeros(6, 1, 20, 30)
IMAGES[:, :, 8:12, 10:20] = 1
NONE = AugmentConfig()


def test_no_warp_changes_nothing() -> None:
    assert not NONE.is_enabled
    assert torch.allclose(augment(IMAGES, NONE, 0, 1), IMAGES, atol=1e-5)


def test_a_view_follows_from_the_seed_and_its_place() -> None:
    config = get_recipe("neighbours").augmentation
    one, same, other = (augment(IMAGES, config, 5, 2, step) for step in (7, 7, 8))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert not torch.equal(one[0], one[1]), "each image is warped in its own way"
    assert 0 <= one.min() <= one.max() <= 1


@pytest.mark.parametrize("name", ["turn", "shift", "stretch", "shear", "bend"])
def test_each_part_alone_moves_pixels_and_keeps_most_of_the_picture(name: str) -> None:
    config = replace(NONE, **{name: 10.0 if name == "turn" else 0.1})
    assert config.is_enabled
    views = augment(IMAGES, config, 0)
    assert (views - IMAGES).abs().max() > 0.05
    assert float(views.sum()) == pytest.approx(float(IMAGES.sum()), rel=0.3)


def test_only_images_in_colour_change_their_colours_each_in_its_own_way() -> None:
    config = replace(NONE, colour_jitter=0.5)
    coloured = IMAGES * torch.tensor([0.9, 0.2, 0.4]).view(3, 1, 1)
    assert torch.allclose(augment(IMAGES, config, 0), IMAGES, atol=1e-5)
    views = augment(coloured, config, 0)
    assert torch.equal(views, augment(coloured, config, 0))
    assert 0 <= views.min() <= views.max() <= 1
    inks = views[:, :, 10, 15]
    assert (inks - inks[0]).abs().amax(dim=1)[1:].min() > 0.05
    lit = (views - views[:, :, :1, :1]).abs().amax(dim=1) > 0.02
    assert (lit == (IMAGES[:, 0] > 0)).float().mean() > 0.9, "the shape is still seen"


def test_a_shift_goes_no_farther_than_its_share_of_each_side() -> None:
    spot = torch.zeros(200, 1, 20, 30)
    spot[:, :, 10, 15] = 1
    views = augment(spot, replace(NONE, translate=0.1), 0)
    rows, columns = views.sum(dim=(0, 1, 3)).nonzero(), views.sum(dim=(0, 1, 2)).nonzero()
    assert (int(rows.min()), int(rows.max())) == (8, 12)
    assert (int(columns.min()), int(columns.max())) == (12, 18)

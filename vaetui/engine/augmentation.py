"""A second view of images: warped a little, and in other colours; it does not know what they show."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from vaetui.engine import rng
from vaetui.engine.config import AugmentConfig
from vaetui.engine.idx import COLOUR_CHANNELS

ELASTIC_GRID_POINTS = 4
"""Points along each side at which a picture is pushed about; between them the push changes smoothly."""


def augment(images: Tensor, config: AugmentConfig, seed: int, *position: int) -> Tensor:
    """Warp each image of [N, 1, H, W] or [N, 3, H, W] in its own way, by the seed and the `place` in the run.

    What comes in from outside the picture is 0.
    """
    drawn = rng.derive_generator(seed, "warp", *position).uniform(-config.strength, config.strength, (6, len(images)))
    turn, wide, high, shear, right, down = torch.from_numpy(drawn).float().to(images.device)  # 6 x [N]
    turn = turn * math.radians(config.rotate)
    wide, high = 1 + wide * config.scale, 1 + high * config.scale
    # The grid counts from -1 to 1, so a share of the side is twice that number.
    ways = torch.stack(
        [
            torch.stack([turn.cos() * wide, shear * config.shear - turn.sin() * high, 2 * right * config.translate], 1),
            torch.stack([turn.sin() * wide, turn.cos() * high, 2 * down * config.translate], 1),
        ],
        1,
    )  # [N, 2, 3]
    grid = F.affine_grid(ways, list(images.shape), align_corners=False)  # [N, H, W, 2]
    if config.elastic:
        points = (len(images), 2, ELASTIC_GRID_POINTS, ELASTIC_GRID_POINTS)
        drawn = rng.derive_generator(seed, "bend", *position).uniform(-1, 1, points) * config.elastic * config.strength
        pushes = torch.from_numpy(drawn).float().to(images.device)
        grid = grid + F.interpolate(pushes, images.shape[-2:], mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    warped = F.grid_sample(images, grid, align_corners=False)
    return (
        _jitter_colours(warped, config, seed, *position)
        if config.colour_jitter and images.shape[1] == COLOUR_CHANNELS
        else warped
    )


def _jitter_colours(images: Tensor, config: AugmentConfig, seed: int, *position: int) -> Tensor:
    """Mix the colours [N, 3, H, W] of each image about their mean, and shift that."""
    drawn = rng.derive_generator(seed, "tint", *position).uniform(
        -config.colour_jitter, config.colour_jitter, (len(images), 3, 4)
    )
    change = torch.from_numpy(drawn * config.strength).float().to(images.device)
    mixed, shifted = change[..., :3] + torch.eye(COLOUR_CHANNELS, device=images.device), change[..., 3:, None] / 2
    mean = images.mean(dim=(2, 3), keepdim=True)
    coloured: Tensor = torch.einsum("nij,njhw->nihw", mixed, images - mean) + mean + shifted
    return coloured.clamp(0, 1)

"""A second view of images: warped a little, and in other colours; it does not know what they show."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from vaetui.engine import rng
from vaetui.engine.config import WarpConfig
from vaetui.engine.idx import COLOURS

BENT = 4
"""Points along each side at which a picture is pushed about; between them the push changes smoothly."""


def warp(images: Tensor, config: WarpConfig, seed: int, *place: int) -> Tensor:
    """Warp each image of [N, 1, H, W] or [N, 3, H, W] in its own way, by the seed and the `place` in the run.

    What comes in from outside the picture is 0.
    """
    drawn = rng.generator(seed, "warp", *place).uniform(-config.warps, config.warps, (6, len(images)))
    turn, wide, high, shear, right, down = torch.from_numpy(drawn).float().to(images.device)  # 6 x [N]
    turn = turn * math.radians(config.turn)
    wide, high = 1 + wide * config.stretch, 1 + high * config.stretch
    # The grid counts from -1 to 1, so a share of the side is twice that number.
    ways = torch.stack(
        [
            torch.stack([turn.cos() * wide, shear * config.shear - turn.sin() * high, 2 * right * config.shift], 1),
            torch.stack([turn.sin() * wide, turn.cos() * high, 2 * down * config.shift], 1),
        ],
        1,
    )  # [N, 2, 3]
    grid = F.affine_grid(ways, list(images.shape), align_corners=False)  # [N, H, W, 2]
    if config.bend:
        points = (len(images), 2, BENT, BENT)
        drawn = rng.generator(seed, "bend", *place).uniform(-1, 1, points) * config.bend * config.warps
        pushes = torch.from_numpy(drawn).float().to(images.device)
        grid = grid + F.interpolate(pushes, images.shape[-2:], mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    warped = F.grid_sample(images, grid, align_corners=False)
    return _recoloured(warped, config, seed, *place) if config.tint and images.shape[1] == COLOURS else warped


def _recoloured(images: Tensor, config: WarpConfig, seed: int, *place: int) -> Tensor:
    """Mix the colours [N, 3, H, W] of each image about their mean, and shift that."""
    drawn = rng.generator(seed, "tint", *place).uniform(-config.tint, config.tint, (len(images), 3, 4))
    change = torch.from_numpy(drawn * config.warps).float().to(images.device)
    mixed, shifted = change[..., :3] + torch.eye(COLOURS, device=images.device), change[..., 3:, None] / 2
    mean = images.mean(dim=(2, 3), keepdim=True)
    coloured: Tensor = torch.einsum("nij,njhw->nihw", mixed, images - mean) + mean + shifted
    return coloured.clamp(0, 1)

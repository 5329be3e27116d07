"""Random second views of images: affine and elastic distortion, crops, blur and colour jitter."""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vaetui.engine import rng
from vaetui.engine.config import AugmentConfig
from vaetui.engine.devices import send_array
from vaetui.engine.idx import COLOUR_CHANNELS
from vaetui.engine.rng import BatchPart

ELASTIC_GRID_POINTS = 4
"""Control points of the elastic distortion along each side; displacements between them are interpolated."""
MAX_ASPECT_RATIO = 4 / 3
"""Largest width of a crop in heights, and height in widths (Chen et al. 2020, appendix A)."""
MAX_CROPPED_SHARE = 0.95
"""Largest share of the area that a crop cuts off, whatever the strength."""


def augment(images: Tensor, config: AugmentConfig, seed: int, *position: int, part: BatchPart | None = None) -> Tensor:
    """Return a distorted view of each image, [N, 1, H, W] or [N, 3, H, W], values from 0 to 1.

    The distortion depends only on `seed` and `position` (epoch, step). Pixels from outside the image are 0. The images
    are a batch, or the `part` of a larger one.
    """
    part = part or BatchPart.whole(len(images))
    # The purposes "warp", "crop", "blur" and "tint" select random streams; with others, runs change.
    coefficients = send_array(_draw_warps(part, config, seed, *position), images.device)  # [N, 2, 3 + points]
    height, width = images.shape[-2:]
    basis = build_warp_basis(height, width, images.device)[: coefficients.shape[-1]]  # [3 + points, H * W]
    grid = (coefficients.flatten(0, 1) @ basis).view(-1, 2, height, width)
    views = F.grid_sample(images, grid.permute(0, 2, 3, 1), align_corners=False)
    if config.blur:
        views = _blur(views, part, config, seed, *position)
    if config.colour_jitter and images.shape[1] == COLOUR_CHANNELS:
        return _jitter_colours(views, part, config, seed, *position)
    return views


def _draw_warps(part: BatchPart, config: AugmentConfig, seed: int, *position: int) -> NDArray[np.float32]:
    """Return the coefficients of random warps in the basis of `build_warp_basis`, [N, 2, 3] or [N, 2, 3 + points].

    Grid coordinates run from -1 to 1, so a fraction of the side is twice that number.
    """
    points = ELASTIC_GRID_POINTS**2 if config.elastic else 0
    generator, strength = rng.derive_generator(seed, "warp", *position), np.float32(config.strength)
    uniform = (2 * generator.random((part.batch_count, 6 + 2 * points), np.float32) - 1) * strength
    uniform = uniform[part.rows]  # [N, 6 + 2 * points]
    angle, x_scale, y_scale, shear, x_shift, y_shift = uniform.T[:6]  # 6 x [N]
    cosine, sine = np.cos(angle * math.radians(config.rotate)), np.sin(angle * math.radians(config.rotate))
    x_scale, y_scale = 1 + x_scale * config.scale, 1 + y_scale * config.scale
    x_row = [cosine * x_scale, shear * config.shear - sine * y_scale, 2 * x_shift * config.translate]
    y_row = [sine * x_scale, cosine * y_scale, 2 * y_shift * config.translate]
    matrices = np.array([x_row, y_row]).transpose(2, 0, 1)  # [N, 2, 3]
    if config.crop:
        matrices = matrices @ _draw_crops(part, config, seed, *position)
    offsets = uniform[:, 6:].reshape(len(uniform), 2, points) * np.float32(config.elastic)
    return np.concatenate([matrices, offsets], axis=2)


@functools.lru_cache(maxsize=4)  # 60 kB for 28x28 pixels, 20 MB for 512x512
def build_warp_basis(height: int, width: int, device: torch.device) -> Tensor:
    """Return the functions that warps are sums of, at each pixel of a grid, [3 + points, H * W].

    These are x, y and 1 for an affine map, and the bicubic interpolation from each control point of the elastic one.
    """
    xs, ys = ((2 * torch.arange(side) + 1) / side - 1 for side in (width, height))
    affine = torch.stack([xs.expand(height, width), ys[:, None].expand(height, width), torch.ones(height, width)])
    points = torch.eye(ELASTIC_GRID_POINTS**2).view(-1, 1, ELASTIC_GRID_POINTS, ELASTIC_GRID_POINTS)
    elastic = F.interpolate(points, (height, width), mode="bicubic", align_corners=True)
    return torch.cat([affine.flatten(1), elastic.flatten(1)]).to(device)


def _draw_crops(part: BatchPart, config: AugmentConfig, seed: int, *position: int) -> NDArray[np.float32]:
    """Return transforms [N, 3, 3] from the coordinates of an image to those of random crops of it.

    A crop lies within the image, and its aspect ratio differs by at most a third, as in SimCLR.
    """
    generator = rng.derive_generator(seed, "crop", *position)
    count = part.batch_count
    area = 1 - generator.uniform(0, min(config.crop * config.strength, MAX_CROPPED_SHARE), count)
    aspect = np.exp(generator.uniform(-1, 1, count) * math.log(MAX_ASPECT_RATIO))
    sides = np.minimum(np.stack([np.sqrt(area * aspect), np.sqrt(area / aspect)]), 1)  # [2, N], x and y
    shifts = (1 - sides) * generator.uniform(-1, 1, (2, count))
    crops = np.zeros((count, 3, 3), np.float32)
    crops[:, [0, 1], [0, 1]], crops[:, 2, 2] = sides.T, 1
    crops[:, :2, 2] = shifts.T
    return crops[part.rows]


def _blur(images: Tensor, part: BatchPart, config: AugmentConfig, seed: int, *position: int) -> Tensor:
    """Mix each image [N, C, H, W] with its mean over 3x3 pixels."""
    uniform = rng.derive_generator(seed, "blur", *position).uniform(
        0, min(config.blur * config.strength, 1), part.batch_count
    )
    weights = send_array(uniform[part.rows].astype(np.float32), images.device)[:, None, None, None]
    means = F.avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)
    return images.lerp(means, weights)


def _jitter_colours(images: Tensor, part: BatchPart, config: AugmentConfig, seed: int, *position: int) -> Tensor:
    """Mix the channels of each image [N, 3, H, W] around its mean colour, and shift the mean."""
    jitter = config.colour_jitter
    generator = rng.derive_generator(seed, "tint", *position)
    uniform = generator.uniform(-jitter, jitter, (part.batch_count, 3, 4))[part.rows]
    coefficients = send_array((uniform * config.strength).astype(np.float32), images.device)  # [N, 3, 4]
    mixing = coefficients[..., :3] + torch.eye(COLOUR_CHANNELS, device=images.device)
    shift = coefficients[..., 3:, None] / 2
    mean = images.mean(dim=(2, 3), keepdim=True)
    jittered: Tensor = torch.einsum("nij,njhw->nihw", mixing, images - mean) + mean + shift
    return jittered.clamp(0, 1)

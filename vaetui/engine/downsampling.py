"""Smaller copies of images for the networks: means over squares of pixels, and pictures enlarged again."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def compute_downsampled_shape(shape: tuple[int, ...], factor: int) -> tuple[int, ...]:
    """Return the shape of downsampled images; squares at the end of a row or column may be cut off."""
    return (-(-shape[0] // factor), -(-shape[1] // factor), *shape[2:])


def average_squares(pixels: Tensor, factor: int) -> Tensor:
    """Return the means of pixels [N, H, W, C] over squares of `factor` pixels a side, [N, H / factor, W / factor, C].

    `pixels` are bytes or floats; the result is float32.
    """
    # Row by row and column by column: `avg_pool2d` takes four to ten times as long for channels-last images.
    return _average_dimension(_average_dimension(pixels, 1, factor), 2, factor)


def downsample(images: Tensor, factor: int) -> Tensor:
    """Return images [N, C, H, W] reduced in size, as `average_squares`, by operations that can be exported to ONNX."""
    return images if factor == 1 else F.avg_pool2d(images, factor, ceil_mode=True, count_include_pad=False)


def enlarge(images: Tensor, factor: int, size: tuple[int, int]) -> Tensor:
    """Return downsampled images, or their logits, [N, C, H / factor, W / factor] at `size` (H, W)."""
    if factor == 1:
        return images
    enlarged = F.interpolate(images, scale_factor=factor, mode="bilinear", align_corners=False)
    return enlarged[..., : size[0], : size[1]]


def _average_dimension(values: Tensor, dim: int, factor: int) -> Tensor:
    """Return the means of each `factor` values along a dimension; the last may be of fewer."""
    index: list[slice] = [slice(None)] * dim
    side = values.shape[dim]
    sums = values[*index, ::factor].to(torch.float32, copy=True, memory_format=torch.contiguous_format)
    for offset in range(1, factor):
        part = values[*index, offset::factor]
        sums[*index, : part.shape[dim]] += part
    whole_count = side // factor
    sums[*index, :whole_count] /= factor
    if side % factor:
        sums[*index, whole_count:] /= side % factor
    return sums

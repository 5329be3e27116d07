"""The inputs of the networks on their device: images, or vectors."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from vaetui.engine.images import Images
from vaetui.engine.vae import to_float_images
from vaetui.engine.vectors import Vectors

COPY_VECTORS = 1 << 14
"""Vectors copied to an accelerator at a time."""


class DeviceImages:
    """Images as bytes: on the CPU the memory of `Images` itself, on an accelerator one copy of all images."""

    def __init__(self, images: Images, device: torch.device) -> None:
        """Put images on a device."""
        if device.type == "cpu":
            pixels = np.require(images.all_pixels, requirements="W")  # PyTorch warns about read-only memory
            self._all_pixels, self._indices = torch.from_numpy(pixels), torch.from_numpy(images.indices)
        else:
            self._all_pixels = torch.from_numpy(images[:]).to(device)
            self._indices = torch.arange(len(images), device=device)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._indices)

    def load(self, indices: Tensor | slice) -> Tensor:
        """Return some images as input of the networks, [N, 1, H, W] or [N, 3, H, W], values from 0 to 1."""
        return to_float_images(self._all_pixels[self._indices[indices]])


class DeviceVectors:
    """Vectors as they are stored: on the CPU the memory of `Vectors` itself, on an accelerator one copy of them."""

    def __init__(self, vectors: Vectors, device: torch.device) -> None:
        """Put vectors on a device."""
        if device.type == "cpu":
            self._all_vectors = torch.from_numpy(vectors.all_vectors)
            self._indices = torch.from_numpy(vectors.indices)
            return
        dtype = torch.from_numpy(vectors.all_vectors[:0]).dtype
        self._all_vectors = torch.empty((len(vectors), vectors.width), dtype=dtype, device=device)
        for start in range(0, len(vectors), COPY_VECTORS):
            chunk = slice(start, start + COPY_VECTORS)
            self._all_vectors[chunk] = torch.from_numpy(vectors.all_vectors[vectors.indices[chunk]]).to(device)
        self._indices = torch.arange(len(vectors), device=device)

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self._indices)

    def load(self, indices: Tensor | slice) -> Tensor:
        """Return some vectors as input of the networks, [N, D], float32."""
        return self._all_vectors[self._indices[indices]].float()


DeviceInputs: TypeAlias = DeviceImages | DeviceVectors
"""What the networks are trained on."""


def put_on_device(inputs: Images | Vectors, device: torch.device) -> DeviceInputs:
    """Return images or vectors on the device of the networks."""
    return DeviceVectors(inputs, device) if isinstance(inputs, Vectors) else DeviceImages(inputs, device)

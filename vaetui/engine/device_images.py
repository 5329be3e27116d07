"""Images on the device of the networks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vaetui.engine.images import Images
from vaetui.engine.vae import to_float_images


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

    def __getitem__(self, indices: Tensor | slice) -> Tensor:
        """Return the bytes of some images, [N, H, W] or [N, H, W, 3]."""
        return self._all_pixels[self._indices[indices]]

    def load(self, indices: Tensor | slice) -> Tensor:
        """Return some images as input of the networks, [N, 1, H, W] or [N, 3, H, W], values from 0 to 1."""
        return to_float_images(self[indices])

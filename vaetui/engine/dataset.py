"""Images come to the device of the networks batch by batch; it does not know what becomes of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vaetui.engine.images import Images


class Dataset:
    """Images as bytes; for the processor they stay where they are, an accelerator gets them once and keeps them."""

    def __init__(self, images: Images, device: torch.device) -> None:
        """Bring images to a device."""
        if device.type == "cpu":
            stored = np.require(images.all_pixels, requirements="W")  # PyTorch warns of memory that is read-only
            self._all_pixels, self._indices = torch.from_numpy(stored), torch.from_numpy(images.indices)
        else:
            self._all_pixels = torch.from_numpy(images[:]).to(device)
            self._indices = torch.arange(len(images), device=device)

    def __len__(self) -> int:
        """Count the images."""
        return len(self._indices)

    def __getitem__(self, indices: Tensor | slice) -> Tensor:
        """Give the bytes of some images, [N, H, W] or [N, H, W, 3]."""
        return self._all_pixels[self._indices[indices]]

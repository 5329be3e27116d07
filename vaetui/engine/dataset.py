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
            stored = np.require(images.stored, requirements="W")  # PyTorch warns of memory that is read-only
            self._stored, self._places = torch.from_numpy(stored), torch.from_numpy(images.places)
        else:
            self._stored = torch.from_numpy(images[:]).to(device)
            self._places = torch.arange(len(images), device=device)

    def __len__(self) -> int:
        """Count the images."""
        return len(self._places)

    def __getitem__(self, which: Tensor | slice) -> Tensor:
        """Give the bytes of some images, [N, H, W] or [N, H, W, 3]."""
        return self._stored[self._places[which]]

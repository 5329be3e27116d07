"""The inputs of the networks on their device: images, or vectors."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaetui.engine.config import NetworkConfig, find_downsampling
from vaetui.engine.devices import measure_free_bytes, send, send_array
from vaetui.engine.images import Images
from vaetui.engine.vae import to_float_images
from vaetui.engine.vectors import Vectors

COPY_BYTES = 1 << 26
"""Bytes copied to an accelerator at a time, so that a mapped file is not read into memory as a whole."""
BATCH_IMAGES = 256
"""Images that are encoded at a time on the CPU: larger batches leave its caches, smaller ones leave cores idle."""
MAX_MEMORY_SHARE = 0.5
"""Largest share of the free memory of an accelerator that one set of inputs takes; larger ones stay on the CPU."""


class _DeviceRows:
    """Selected rows of an array, on a device if they fit.

    On the CPU, the array itself is read. An accelerator gets one copy, unless that would take more than `max_bytes`, by
    default MAX_MEMORY_SHARE of the free memory: then each batch is sent when it is needed.
    """

    def __init__(
        self, all_rows: NDArray[Any], indices: NDArray[np.int64], device: torch.device, max_bytes: int | None = None
    ) -> None:
        self._device = device
        self._all_rows, self._row_indices = all_rows, indices
        row_bytes = all_rows.dtype.itemsize * math.prod(all_rows.shape[1:])
        limit = measure_free_bytes(device) * MAX_MEMORY_SHARE if max_bytes is None else max_bytes
        self.is_resident = device.type == "cpu" or row_bytes * len(indices) <= limit
        """Whether all rows are in the memory of the device."""
        if device.type == "cpu":
            writeable_rows = np.require(all_rows, requirements="W")  # PyTorch warns about read-only memory
            self._rows, self._positions = torch.from_numpy(writeable_rows), torch.from_numpy(indices)
        elif self.is_resident:
            dtype = torch.from_numpy(np.empty(0, all_rows.dtype)).dtype
            self._rows = torch.empty((len(indices), *all_rows.shape[1:]), dtype=dtype, device=device)
            chunk_size = max(COPY_BYTES // max(row_bytes, 1), 1)
            for start in range(0, len(indices), chunk_size):
                chunk = slice(start, start + chunk_size)
                self._rows[chunk] = torch.from_numpy(all_rows[indices[chunk]]).to(device)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._row_indices)

    def _gather(self, indices: Tensor | slice, sent_indices: Tensor | None) -> Tensor:
        """Return rows by their indices; `sent_indices` are the same on the device, if they are there already."""
        if self._device.type == "cpu":
            return self._rows.index_select(0, self._positions[indices])  # copies rows, not elements
        if not self.is_resident:
            selected = self._row_indices[indices if isinstance(indices, slice) else indices.numpy()]
            return send_array(self._all_rows[selected], self._device)
        if isinstance(indices, slice):
            return self._rows[indices]
        return self._rows[send([indices], self._device)[0] if sent_indices is None else sent_indices]


class DeviceImages(_DeviceRows):
    """Images as bytes; see the base class."""

    def __init__(
        self, images: Images, device: torch.device, max_bytes: int | None = None, downsampling: int = 1
    ) -> None:
        """Put images on a device, of which batches are downsampled by a factor."""
        self._downsampling = downsampling
        super().__init__(images.all_pixels, images.indices, device, max_bytes)

    def load(self, indices: Tensor | slice, sent_indices: Tensor | None = None) -> Tensor:
        """Return some images as input of the networks, [N, 1, H, W] or [N, 3, H, W], values from 0 to 1.

        `indices` are on the CPU; `sent_indices` are the same on the device, if they are there already.
        """
        images = to_float_images(self._gather(indices, sent_indices), self._downsampling)
        return images.contiguous() if self._device.type == "mps" else images  # see `create_train_state`


class DeviceVectors(_DeviceRows):
    """Vectors as they are stored; see the base class."""

    def __init__(self, vectors: Vectors, device: torch.device, max_bytes: int | None = None) -> None:
        """Put vectors on a device."""
        super().__init__(vectors.all_vectors, vectors.indices, device, max_bytes)

    def load(self, indices: Tensor | slice, sent_indices: Tensor | None = None) -> Tensor:
        """Return some vectors as input of the networks, [N, D], float32; see `DeviceImages.load`."""
        return self._gather(indices, sent_indices).float()


DeviceInputs: TypeAlias = DeviceImages | DeviceVectors
"""What the networks are trained on."""


def put_on_device(inputs: Images | Vectors, device: torch.device, network: NetworkConfig | None = None) -> DeviceInputs:
    """Return images, downsampled as the `network` is configured, or vectors on the device of the networks."""
    if isinstance(inputs, Vectors):
        return DeviceVectors(inputs, device)
    downsampling = 1 if network is None else find_downsampling(network, inputs.shape)
    return DeviceImages(inputs, device, downsampling=downsampling)

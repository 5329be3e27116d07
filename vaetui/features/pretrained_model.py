"""A pretrained image model: its preprocessing, and how it turns pixels into vectors."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vaetui.errors import UserError
from vaetui.features.model_names import ROTATIONS_SUFFIX
from vaetui.features.preprocessing import Preprocessing
from vaetui.storage.feature_record import ModelRecord

if TYPE_CHECKING:
    from torch import Tensor

BATCH_IMAGES, GPU_BATCH_IMAGES = 16, 128
"""Images of a batch: on a CPU as many as its caches hold, which is several times as fast as larger batches."""
ROTATION_COUNT = 4
"""Quarter turns over which vectors are averaged for images that have no upright position."""
INSTALL_ADVICE = "Install them with: pip install 'vaetui[photos]'"


class ImageModel:
    """A pretrained network that computes one vector for each image; it is loaded when it is used first."""

    def __init__(
        self,
        record: ModelRecord,
        transform: Preprocessing,
        pixel_mean: tuple[float, ...],
        pixel_std: tuple[float, ...],
        device: str,
        load_network: Callable[[str], Callable[[Tensor], Tensor]],
        batch_images: int = BATCH_IMAGES,
        rotation_count: int = 1,
    ) -> None:
        """Describe a model. `load_network` returns the function of normalised images [B, 3, H, W] on a device.

        `pixel_mean` and `pixel_std`, of pixels from 0 to 255, have one number or one per channel. A vector is the mean
        of those of `rotation_count` quarter turns of the image.
        """
        self.record = record
        """What is stored with the vectors."""
        self.transform = transform
        """The preprocessing of images, up to the pixels."""
        self.device = device
        """The device of the network: cpu, cuda or mps."""
        self.batch_images = batch_images if device == "cpu" else GPU_BATCH_IMAGES
        """Images of a batch. The last bits of a vector depend on its batch."""
        self._pixel_mean, self._pixel_std = pixel_mean, pixel_std
        self._rotation_count = rotation_count
        self._load_network = load_network
        self._network: Callable[[Tensor], Tensor] | None = None
        self._width = 0
        self._lock = threading.Lock()

    @property
    def width(self) -> int:
        """Numbers of a vector; loads the network."""
        self.load()
        return self._width

    def average_rotations(self) -> ImageModel:
        """Return the model whose vectors are the means over the four quarter turns of an image.

        Raises UserError if its input is not square.
        """
        height, width = self.transform.size
        if height != width:
            raise UserError(
                f"The input of the image model {self.record.name} is not square, so it cannot be turned. Omit "
                f"{ROTATIONS_SUFFIX}."
            )
        return ImageModel(
            replace(self.record, name=self.record.name + ROTATIONS_SUFFIX),
            self.transform,
            self._pixel_mean,
            self._pixel_std,
            self.device,
            self._load_network,
            self.batch_images,
            ROTATION_COUNT,
        )

    def load(self) -> None:
        """Load the network, unless that is done; raises UserError if its weights do not fit."""
        with self._lock:
            if self._network is None:
                network = self._load_network(self.device)
                try:
                    vectors = self._run(network, np.zeros((1, *self.transform.shape), np.uint8))  # [1, D]
                except (ValueError, RuntimeError) as error:
                    height, width = self.transform.size
                    reason = " ".join(str(error).split())[:120]
                    raise UserError(
                        f"The image model {self.record.name} cannot compute an input of {height}x{width} pixels "
                        f"({reason}). Choose another size."
                    ) from error
                self._network, self._width = network, vectors.shape[1]

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float16]:
        """Return vectors [n, D] of one batch of images [n, H, W, 3]; several threads may call it at once.

        Raises UserError if the vectors are not finite numbers of 16 bits.
        """
        self.load()
        assert self._network is not None
        with np.errstate(over="ignore"):
            vectors = self._run(self._network, pixels).astype(np.float16)
        if not np.isfinite(vectors).all():
            raise UserError(
                f"The image model {self.record.name} computes numbers that do not fit into 16 bits. Choose another one."
            )
        return vectors

    def _run(self, network: Callable[[Tensor], Tensor], pixels: NDArray[np.uint8]) -> NDArray[Any]:
        import torch

        with torch.inference_mode():
            images = torch.from_numpy(np.ascontiguousarray(pixels)).to(self.device)
            mean, std = (torch.tensor(values).to(self.device) for values in (self._pixel_mean, self._pixel_std))
            normalised = (images.float() - mean) / std  # [B, H, W, 3]
            # On MPS, operations are not reliable with channels-last activations.
            memory_format = torch.contiguous_format if self.device == "mps" else torch.channels_last
            inputs = normalised.permute(0, 3, 1, 2).contiguous(memory_format=memory_format)  # [B, 3, H, W]
            sums = network(inputs).float()  # [B, D]
            for turns in range(1, self._rotation_count):
                turned = inputs.rot90(turns, (2, 3)).contiguous(memory_format=memory_format)
                sums = sums + network(turned).float()
            vectors: NDArray[Any] = (sums / self._rotation_count).cpu().numpy()
        return vectors


def require_package(package: str, model_name: str) -> None:
    """Raise UserError if a package of the extra is missing; it is not imported."""
    if importlib.util.find_spec(package) is None:
        raise UserError(f"The packages for the image model {model_name} are missing. {INSTALL_ADVICE}")

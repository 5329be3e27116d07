"""Tiny untrained image models of each family of the transformers library, saved to a directory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

SIDE_PX = 32
"""Side of the inputs."""
TINY_TRANSFORMER: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48, "image_size": 32,
    "patch_size": 8,
}  # fmt: skip
TINY_TEXT: dict[str, Any] = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 64,
    "eos_token_id": 1, "bos_token_id": 0,
}  # fmt: skip
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
SQUARE = {"size": {"height": SIDE_PX, "width": SIDE_PX}}
SHORTER_SIDE = {
    "size": {"shortest_edge": 37}, "crop_size": {"height": SIDE_PX, "width": SIDE_PX}, "do_center_crop": True,
}  # fmt: skip


def _save_vit() -> Any:
    return transformers.ViTModel(transformers.ViTConfig(**TINY_TRANSFORMER))


def _save_vit_classifier() -> Any:
    return transformers.ViTForImageClassification(transformers.ViTConfig(**TINY_TRANSFORMER))


def _save_dinov2() -> Any:
    options = {key: value for key, value in TINY_TRANSFORMER.items() if key != "intermediate_size"}
    return transformers.Dinov2Model(transformers.Dinov2Config(**options))


def _save_dinov3() -> Any:
    return transformers.DINOv3ViTModel(transformers.DINOv3ViTConfig(**TINY_TRANSFORMER))


def _save_clip() -> Any:
    config = transformers.CLIPConfig(text_config=TINY_TEXT, vision_config=TINY_TRANSFORMER, projection_dim=24)
    return transformers.CLIPModel(config)


def _save_siglip() -> Any:
    return transformers.SiglipModel(transformers.SiglipConfig(text_config=TINY_TEXT, vision_config=TINY_TRANSFORMER))


def _save_convnext() -> Any:
    return transformers.ConvNextModel(transformers.ConvNextConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1]))


def _save_resnet() -> Any:
    config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1])
    return transformers.ResNetModel(config)


def _save_swin() -> Any:
    config = transformers.SwinConfig(
        image_size=32, patch_size=4, embed_dim=16, depths=[1, 1], num_heads=[2, 2], window_size=4
    )
    return transformers.SwinModel(config)


def _save_beit() -> Any:
    return transformers.BeitModel(transformers.BeitConfig(**TINY_TRANSFORMER))


TINY_MODELS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "vit": (_save_vit, {"image_processor_type": "ViTImageProcessor", "resample": 2, **SQUARE, **HALF}),
    "vit-classifier": (
        _save_vit_classifier,
        {"feature_extractor_type": "ViTFeatureExtractor", "resample": 2, "size": SIDE_PX, **HALF},
    ),
    "dinov2": (_save_dinov2, {"image_processor_type": "BitImageProcessor", "resample": 3, **SHORTER_SIDE, **IMAGENET}),
    "dinov3": (_save_dinov3, {"image_processor_type": "DINOv3ViTImageProcessorFast", **SQUARE, **IMAGENET}),
    "clip": (_save_clip, {"image_processor_type": "CLIPImageProcessor", "resample": 3, **SHORTER_SIDE, **IMAGENET}),
    "siglip": (_save_siglip, {"image_processor_type": "SiglipImageProcessor", "resample": 3, **SQUARE, **HALF}),
    "convnext": (
        _save_convnext,
        {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 32}, **IMAGENET},
    ),
    "resnet": (
        _save_resnet,
        {"feature_extractor_type": "ConvNextFeatureExtractor", "size": 32, "crop_pct": 0.875, **IMAGENET},
    ),
    "swin": (_save_swin, {"image_processor_type": "ViTImageProcessor", "resample": 3, **SQUARE, **IMAGENET}),
    "beit": (_save_beit, {"image_processor_type": "BeitImageProcessor", "resample": 3, **SQUARE, **HALF}),
}  # fmt: skip
"""For each family, a model and its preprocessor_config.json."""


def save_tiny_model(family: str, directory: Path) -> Path:
    """Save a model with the same weights each time, and return the directory."""
    build, preprocessor = TINY_MODELS[family]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build()
    directory.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(directory)
    (directory / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return directory

"""Names of pretrained image models; imports nothing heavy."""

from __future__ import annotations

DEFAULT_MODEL = "efficientnet-lite0"
"""The model that needs no download: a package brings its weights."""
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
ROTATIONS_SUFFIX = ":rotations"
"""Ending of the name of a model whose vectors are means over the four quarter turns of an image."""

"""Export trained networks: safetensors weights, a JSON card, a README with loading code, and optionally ONNX."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vaetui.engine.classes import ClassList
from vaetui.engine.config import Config
from vaetui.engine.vae import VAE, count_channels
from vaetui.errors import UserError
from vaetui.export.label_info import format_audit
from vaetui.storage.output_files import create_output_directory

INPUT_DESCRIPTION = "{} images [N, {}, height, width], resized with a Lanczos filter, pixel values divided by 255."
README_TEMPLATE = """# {name}

The networks of a vaetui session, written by `vaetui export-model`. `card.json` contains the configuration, the classes
and the expected input; its list `merged_into` maps each output of the classifier to the class that it counts for. To
classify images in Python, with vaetui {version} installed:

```python
import json

import torch
from safetensors.torch import load_file
from vaetui.engine.config_text import from_json
from vaetui.engine.vae import build_vae

with open("card.json") as file:
    card = json.load(file)
config = from_json(json.dumps(card["config"]))
vae = build_vae(config.network, tuple(card["shape"]), seed=0).eval()
vae.load_state_dict(load_file("model.safetensors"))

images = torch.rand(4, {channels}, *card["shape"][:2])  # your images, from 0 to 1
with torch.no_grad():
    encoding = vae.encode(images)
    outputs = vae.classify(encoding.hidden, encoding.mean).softmax(dim=1)
probabilities = torch.zeros(len(images), len(card["classes"]))
probabilities.index_add_(1, torch.tensor(card["merged_into"]), outputs)
print([card["classes"][class_id] for class_id in probabilities.argmax(dim=1)])
```
{onnx}
## What the predictions are worth

{accuracy}

The probabilities are those of the classifier. They are not calibrated: where classes overlap, they are too high.
"""
NO_AUDIT_TEXT = """\
Nobody has measured how many labels of this session are right. Measure it with: `vaetui audit {name}`"""
AUDIT_TEXT = """\
A person checked labels of this session on {date}: {figures}. This holds for version {version} of the labels, which
came from {networks}. It says nothing certain about other images."""
ONNX_README_TEMPLATE = """
Without vaetui and PyTorch, from `model.onnx`:

```python
import json

import numpy as np
import onnxruntime

with open("card.json") as file:
    card = json.load(file)
images = np.random.rand(4, {channels}, *card["shape"][:2]).astype("float32")  # your images, from 0 to 1
(probabilities,) = onnxruntime.InferenceSession("model.onnx").run(None, {{"images": images}})
print([card["classes"][class_id] for class_id in probabilities.argmax(axis=1)])
```
"""


@dataclass(frozen=True, slots=True)
class ModelOrigin:
    """Where trained networks come from, and what was measured about the labels of their session."""

    session_name: str
    """The session name."""
    epoch: int
    """Finished epochs of the networks."""
    round_number: int
    """The last round with an answer."""
    answer_count: int
    """Answers given, those about single images included."""
    test_accuracy: float | None
    """Test accuracy of the last epoch; None without labels and before the first epoch."""
    audit: Mapping[str, Any] | None
    """The newest audit, one of these networks if there is any, as JSON values; None without an audit."""


class ImageClassifier(nn.Module):
    """Compute class probabilities from images; the module that is exported to ONNX."""

    merge_matrix: Tensor

    def __init__(self, vae: VAE, canonical: Sequence[int]) -> None:
        """Wrap networks; `canonical` [classes] maps each class to the class it counts as, itself unless merged."""
        super().__init__()
        self.vae = vae
        merge_matrix = torch.eye(len(canonical))[list(canonical[: vae.classifier.out_features])]  # [outputs, classes]
        self.register_buffer("merge_matrix", merge_matrix)

    def forward(self, images: Tensor) -> Tensor:
        """Return class probabilities [N, classes] of images [N, channels, H, W] from 0 to 1, using the mean of z."""
        encoding = self.vae.encode(images)
        return self.vae.classify(encoding.hidden, encoding.mean).softmax(dim=1) @ self.merge_matrix


def write_model_directory(
    origin: ModelOrigin,
    vae: VAE,
    config: Config,
    shape: tuple[int, ...],
    class_list: ClassList,
    with_onnx: bool,
    output: Path,
) -> None:
    """Write model.safetensors, card.json, README.md and optionally model.onnx into a new directory.

    `shape` is that of one image, (H, W) or (H, W, 3). Raises UserError if the directory is not empty or cannot be
    written, or a package for ONNX is missing.
    """
    from safetensors.torch import save

    channels = count_channels(shape)
    weights = {key: tensor.contiguous() for key, tensor in vae.state_dict().items()}
    versions = {name: metadata.version(name) for name in ("vaetui", "torch")} | {"python": platform.python_version()}
    card: dict[str, Any] = {
        "name": origin.session_name,
        "classes": class_list.names,
        "merged_into": class_list.canonical[: config.network.classes],
        "shape": shape,
        "input": INPUT_DESCRIPTION.format("RGB" if channels > 1 else "Grey", channels),
        "epoch": origin.epoch,
        "round": origin.round_number,
        "answers": origin.answer_count,
        "test_accuracy": origin.test_accuracy,
        "probabilities": "uncalibrated",
        "audit": None if origin.audit is None else dict(origin.audit),
        "seed": config.seed,
        "config": asdict(config),
        "versions": versions,
    }
    onnx_section = ONNX_README_TEMPLATE.format(channels=channels) if with_onnx else ""
    readme = README_TEMPLATE.format(
        name=origin.session_name,
        version=versions["vaetui"],
        channels=channels,
        onnx=onnx_section,
        accuracy=_describe_accuracy(origin),
    )
    with create_output_directory(output) as directory:
        if with_onnx:
            _write_onnx(ImageClassifier(vae, class_list.canonical), shape, directory / "model.onnx")
        (directory / "model.safetensors").write_bytes(save(weights))
        (directory / "card.json").write_text(json.dumps(card, indent=1), encoding="utf-8")
        (directory / "README.md").write_text(readme, encoding="utf-8")


def _describe_accuracy(origin: ModelOrigin) -> str:
    audit = origin.audit
    if audit is None:
        return NO_AUDIT_TEXT.format(name=origin.session_name)
    networks = "these networks" if audit["epoch"] == origin.epoch else f"the networks of epoch {audit['epoch']}"
    date, figures = str(audit["date"])[:10], format_audit(audit)
    return AUDIT_TEXT.format(date=date, figures=figures, version=audit["version"], networks=networks)


def _write_onnx(model: ImageClassifier, shape: tuple[int, ...], path: Path) -> None:
    try:
        import onnxscript  # noqa: F401 (torch.onnx.export imports it)
    except ImportError as error:
        raise UserError("ONNX needs more packages. Install them with: pip install 'vaetui[onnx]'") from error
    example = torch.zeros(2, count_channels(shape), *shape[:2])
    torch.onnx.export(
        model.eval(),
        (example,),
        path,
        input_names=["images"],
        output_names=["probabilities"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        dynamo=True,
        external_data=False,
        verbose=False,
    )

"""Trained networks for other programs: safetensors and a card, ONNX by an extra; it does not know how they learned."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import vaetui
from vaetui.engine.classes import ClassList
from vaetui.engine.config import Config
from vaetui.engine.vae import VAE, count_channels
from vaetui.errors import UserError
from vaetui.export.image_placement import create_output_directory
from vaetui.storage import atomic_files

INPUT_DESCRIPTION = (
    "{} pictures [N, {}, height, width] of bytes divided by 255, brought to that size by Lanczos resampling."
)
README_TEMPLATE = """# {name}

What `vaetui export-model` made of a session. `card.json` tells the architecture, the classes and how pictures are
prepared. In Python, with vaetui {version} installed:

```python
import json, torch
from safetensors.torch import load_file
from vaetui.engine.settings import from_json
from vaetui.engine.vae import build
card = json.load(open("card.json"))
vae = build(from_json(json.dumps(card["config"])).network, tuple(card["shape"]), seed=0)
vae.load_state_dict(load_file("model.safetensors"))
pictures = torch.rand(4, {channels}, *card["shape"][:2])  # yours, in 0 to 1
outputs = vae.eval().classify(*vae.infer(pictures)[:2]).softmax(dim=1)
chances = torch.zeros(len(outputs), len(card["classes"])).index_add_(1, torch.tensor(card["counts_as"]), outputs)
print([card["classes"][at] for at in chances.argmax(dim=1)])
```
{onnx}"""
ONNX_README_TEMPLATE = """
Or anywhere, from `model.onnx`:

```python
import json, numpy, onnxruntime
card = json.load(open("card.json"))
session = onnxruntime.InferenceSession("model.onnx")
chances, = session.run(None, {{"pictures": numpy.random.rand(4, {channels}, *card["shape"][:2]).astype("float32")}})
print([card["classes"][at] for at in chances.argmax(axis=1)])
```
"""


class ImageClassifier(nn.Module):
    """Pictures in, the probability of each class out."""

    merge_matrix: Tensor

    def __init__(self, vae: VAE, canonical: Sequence[int]) -> None:
        """Classify by these networks; `roots` tells for each class what it counts as."""
        super().__init__()
        self.vae = vae
        self.register_buffer("counted", torch.eye(len(canonical))[list(canonical[: vae.classifier.out_features])])

    def forward(self, images: Tensor) -> Tensor:
        """Give the probabilities [N, classes] of pictures in 0 to 1, as `Vae` infers them, by the mean of z."""
        return self.vae.classify(*self.vae.encode(images)[:2]).softmax(dim=1) @ self.merge_matrix


def write_model(
    name: str,
    vae: VAE,
    config: Config,
    shape: tuple[int, ...],
    class_list: ClassList,
    test_accuracy: float | None,
    with_onnx: bool,
    output: Path,
) -> None:
    """Write model.safetensors, card.json, README.md and, where it is wanted, model.onnx into a new directory.

    Raises Trouble for a directory that holds something, where a package that ONNX needs is missing, and for a full
    disk.
    """
    from safetensors.torch import save

    create_output_directory(output)
    layers = count_channels(shape)
    if with_onnx:
        _write_onnx(ImageClassifier(vae, class_list.canonical), shape, output / "model.onnx")
    weights = {key: tensor.contiguous() for key, tensor in vae.state_dict().items()}
    atomic_files.write(output / "model.safetensors", save(weights))
    card: dict[str, Any] = {
        "name": name,
        "classes": class_list.names,
        "counts_as": class_list.canonical[: config.network.classes],
        "shape": shape,
        "pictures": INPUT_DESCRIPTION.format("Red, green and blue" if layers > 1 else "Grey", layers),
        "test_accuracy": test_accuracy,
        "seed": config.seed,
        "config": asdict(config),
        "versions": {
            "vaetui": vaetui.__version__,
            "python": platform.python_version(),
            "torch": metadata.version("torch"),
        },
    }
    atomic_files.write(output / "card.json", json.dumps(card, indent=1).encode())
    anywhere = ONNX_README_TEMPLATE.format(channels=layers) if with_onnx else ""
    readme = README_TEMPLATE.format(name=name, version=vaetui.__version__, channels=layers, onnx=anywhere)
    atomic_files.write(output / "README.md", readme.encode())


def _write_onnx(model: ImageClassifier, shape: tuple[int, ...], path: Path) -> None:
    try:
        import onnxscript  # noqa: F401 (what PyTorch exports with)
    except ImportError as error:
        raise UserError("ONNX needs further packages; install them with: pip install 'vaetui[onnx]'") from error
    batch = torch.export.Dim("batch")
    example = torch.zeros(2, count_channels(shape), *shape[:2])
    with atomic_files.translate_os_errors(path):
        torch.onnx.export(
            model.eval(),
            (example,),
            path,
            input_names=["pictures"],
            output_names=["chances"],
            dynamic_shapes=({0: batch},),
            dynamo=True,
            external_data=False,
            verbose=False,
        )

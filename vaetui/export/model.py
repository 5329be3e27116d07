"""Export trained networks: safetensors weights, a JSON card, a README with loading code, and optionally ONNX."""

from __future__ import annotations

import json
import platform
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vaetui.engine.classes import ClassList
from vaetui.engine.config import Config
from vaetui.engine.networks import Networks
from vaetui.engine.vae import count_channels
from vaetui.errors import UserError
from vaetui.export.label_info import describe_features, format_audit
from vaetui.storage.feature_record import FeatureRecord
from vaetui.storage.output_files import create_output_directory

LINE_CHARS = 120
"""Longest line of text in a README."""
IMAGE_INPUT = "{} images [N, {}, height, width], resized with a Lanczos filter, pixel values divided by 255."
VECTOR_INPUT = "Vectors [N, {:,}] of any length, {}."
README_TEMPLATE = """# {name}

The networks of a vaetui session, written by `vaetui export-model`. `card.json` contains the configuration, the classes
and the expected input; its list `merged_into` maps each output of the classifier to the class that it counts for, and
`learned` names the classes that had answers: only these are predicted.

{note}To classify images in Python, with vaetui {version} installed{extra}:

```python
import json

{imports}import torch
from safetensors.torch import load_file
{data_imports}from vaetui.engine.config_text import from_json
from vaetui.engine.networks import build_networks
{model_imports}
with open("card.json") as file:
    card = json.load(file)
config = from_json(json.dumps(card["config"]))
vae = build_networks(config.network, tuple(card["shape"]), 0, tuple(card["image_shape"])).eval()
vae.load_state_dict(load_file("model.safetensors"))

{input_code}
with torch.no_grad():
    encoding = vae.encode({inputs})
    logits = vae.classify(encoding.hidden, encoding.mean)
is_learned = torch.tensor([class_id in card["learned"] for class_id in card["merged_into"]])
outputs = logits.masked_fill(~is_learned, -torch.inf).softmax(dim=1)
probabilities = torch.zeros(len({inputs}), len(card["classes"]))
probabilities.index_add_(1, torch.tensor(card["merged_into"]), outputs)
print([card["classes"][class_id] for class_id in probabilities.argmax(dim=1)])
```
{onnx}
## What the predictions are worth

{accuracy}

The probabilities are those of the classifier. They are not calibrated: where classes overlap, they are too high.
"""
IMAGE_CODE = """\
images = torch.rand(4, {channels}, *card["shape"][:2])  # your images, from 0 to 1"""
MODEL_CODE = """\
record = card["features"]["model"]
model = load_recorded_model(ModelRecord(record["name"], record["version"], tuple(record["size"])))
paths = ["photo.jpg"]  # your images: files, directories or arrays
batches = list(embed_paths(model, paths, 64, card["value_ranges"], ImportOptions()))
names = [name for batch in batches for name in batch.names]
vectors = torch.from_numpy(np.concatenate([batch.inputs for batch in batches])).float()"""
VECTOR_CODE = """\
vectors = torch.rand(4, *card["shape"])  # your vectors, computed as those of the session were"""
MODEL_IMPORTS = """\
from vaetui.features.embedding import embed_paths
from vaetui.features.image_models import load_recorded_model
from vaetui.storage.feature_record import ModelRecord
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
{input_code}
(probabilities,) = onnxruntime.InferenceSession("model.onnx").run(None, {{"{inputs}": {inputs}}})
print([card["classes"][class_id] for class_id in probabilities.argmax(axis=1)])
```
"""
ONNX_IMAGE_CODE = """\
images = np.random.rand(4, {channels}, *card["shape"][:2]).astype("float32")  # your images, from 0 to 1"""
ONNX_VECTOR_CODE = """\
vectors = np.random.rand(4, *card["shape"]).astype("float32")  # your vectors, computed as above"""


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
    learned_class_ids: tuple[int, ...] = ()
    """The classes that the networks have learned, which alone are predicted; empty for all."""
    value_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """The values of black and white in the images of the session, by kind of values."""
    image_shape: tuple[int, ...] = ()
    """Shape of an image of the session, (H, W) or (H, W, 3), which an image decoder of vectors needs."""
    features: FeatureRecord | None = None
    """The vectors that the networks take in; None if they take in images."""


class InputClassifier(nn.Module):
    """Compute class probabilities from images or vectors; the module that is exported to ONNX."""

    merge_matrix: Tensor
    logit_offsets: Tensor

    def __init__(self, vae: Networks, canonical: Sequence[int], learned_class_ids: Collection[int] = ()) -> None:
        """Wrap networks; `canonical` [classes] maps each class to the class it counts as, itself unless merged.

        Only learned classes are predicted; without any, all are.
        """
        super().__init__()
        self.vae = vae
        targets = list(canonical[: vae.classifier.out_features])
        self.register_buffer("merge_matrix", torch.eye(len(canonical))[targets])  # [outputs, classes]
        is_learned = torch.tensor([not learned_class_ids or target in learned_class_ids for target in targets])
        self.register_buffer("logit_offsets", torch.zeros(len(targets)).masked_fill(~is_learned, -torch.inf))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return class probabilities [N, classes] using the mean of z.

        `inputs` are images [N, channels, H, W] from 0 to 1, or vectors [N, D].
        """
        encoding = self.vae.encode(inputs)
        logits = self.vae.classify(encoding.hidden, encoding.mean) + self.logit_offsets
        return logits.softmax(dim=1) @ self.merge_matrix


def write_model_directory(
    origin: ModelOrigin,
    vae: Networks,
    config: Config,
    shape: tuple[int, ...],
    class_list: ClassList,
    with_onnx: bool,
    output: Path,
) -> None:
    """Write model.safetensors, card.json, README.md and optionally model.onnx into a new directory.

    `shape` is that of one input: (H, W) or (H, W, 3) of an image, (D,) of a vector. Raises UserError if the directory
    is not empty or cannot be written, or a package for ONNX is missing.
    """
    from safetensors.torch import save

    tensors = vae.state_dict()
    if not origin.image_shape:  # an image decoder of networks for vectors cannot be built without it
        tensors = {key: tensor for key, tensor in tensors.items() if not key.startswith("image_decoder.")}
    weights = {key: tensor.contiguous() for key, tensor in tensors.items()}
    versions = {name: metadata.version(name) for name in ("vaetui", "torch")} | {"python": platform.python_version()}
    merged_into = class_list.canonical[: config.network.classes]
    card: dict[str, Any] = {
        "name": origin.session_name,
        "classes": class_list.names,
        "merged_into": merged_into,
        "learned": origin.learned_class_ids or sorted(set(merged_into)),
        "shape": shape,
        "image_shape": origin.image_shape,
        "input": _describe_input(origin.features, shape),
        "features": None if origin.features is None else describe_features(origin.features),
        "value_ranges": dict(origin.value_ranges),
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
    readme = _format_readme(origin, shape, with_onnx, versions["vaetui"])
    with create_output_directory(output) as directory:
        if with_onnx:
            input_name = "images" if origin.features is None else "vectors"
            example = torch.zeros(2, *(shape if origin.features else (count_channels(shape), *shape[:2])))
            classifier = InputClassifier(vae, class_list.canonical, origin.learned_class_ids)
            _write_onnx(classifier, example, input_name, directory / "model.onnx")
        (directory / "model.safetensors").write_bytes(save(weights))
        (directory / "card.json").write_text(json.dumps(card, indent=1), encoding="utf-8")
        (directory / "README.md").write_text(readme, encoding="utf-8")


def _describe_input(features: FeatureRecord | None, shape: tuple[int, ...]) -> str:
    if features is not None:
        return VECTOR_INPUT.format(features.width, _describe_vectors(features))
    channels = count_channels(shape)
    return IMAGE_INPUT.format("RGB" if channels > 1 else "Grey", channels)


def _describe_vectors(features: FeatureRecord) -> str:
    """Return how vectors have to be computed."""
    if features.model is None:
        return f"computed as those in the file {Path(features.path).name} of the session were"
    height, width = features.model.size
    return f"computed by the image model {features.model.name} from images of {height}x{width} pixels"


def _format_readme(origin: ModelOrigin, shape: tuple[int, ...], with_onnx: bool, version: str) -> str:
    features, channels = origin.features, count_channels(shape)
    inputs = "images" if features is None else "vectors"
    code, onnx_code = IMAGE_CODE.format(channels=channels), ONNX_IMAGE_CODE.format(channels=channels)
    note = extra = imports = data_imports = model_imports = ""
    if features is not None:
        description = _describe_vectors(features)
        sentences = [f"The networks take in vectors of {features.width:,} numbers, {description}."]
        code, onnx_code = VECTOR_CODE, ONNX_VECTOR_CODE
        if features.model is not None:
            sentences.append(f"The version of its weights is {features.model.version}.")
            code, extra, model_imports = MODEL_CODE, " (`pip install 'vaetui[photos]'`)", MODEL_IMPORTS
            imports, data_imports = "import numpy as np\n", "from vaetui.data.import_options import ImportOptions\n"
        note = textwrap.fill(" ".join(sentences), LINE_CHARS, break_long_words=False) + "\n\n"
    return README_TEMPLATE.format(
        name=origin.session_name,
        note=note,
        version=version,
        extra=extra,
        imports=imports,
        data_imports=data_imports,
        model_imports=model_imports,
        input_code=code,
        inputs=inputs,
        onnx=ONNX_README_TEMPLATE.format(input_code=onnx_code, inputs=inputs) if with_onnx else "",
        accuracy=_describe_accuracy(origin),
    )


def _describe_accuracy(origin: ModelOrigin) -> str:
    audit = origin.audit
    if audit is None:
        return NO_AUDIT_TEXT.format(name=origin.session_name)
    networks = "these networks" if audit["epoch"] == origin.epoch else f"the networks of epoch {audit['epoch']}"
    date, figures = str(audit["date"])[:10], format_audit(audit)
    return AUDIT_TEXT.format(date=date, figures=figures, version=audit["version"], networks=networks)


def _write_onnx(model: InputClassifier, example: Tensor, input_name: str, path: Path) -> None:
    try:
        import onnxscript  # noqa: F401 (torch.onnx.export imports it)
    except ImportError as error:
        raise UserError("ONNX needs more packages. Install them with: pip install 'vaetui[onnx]'") from error
    torch.onnx.export(
        model.eval(),
        (example,),
        path,
        input_names=[input_name],
        output_names=["probabilities"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        dynamo=True,
        external_data=False,
        verbose=False,
    )

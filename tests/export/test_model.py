"""Exported networks, loaded by the code in their README."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file

from vaetui.engine.classes import ClassList
from vaetui.engine.config import Config, NetworkConfig
from vaetui.engine.networks import build_networks
from vaetui.engine.vae import VAE
from vaetui.errors import UserError
from vaetui.export.model import InputClassifier, ModelOrigin, write_model_directory
from vaetui.storage.feature_record import FeatureRecord

CONFIG = Config(network=NetworkConfig(z_dim=2, channels=(2, 4), hidden_units=4, classes=3))
VECTOR_CONFIG = Config(network=NetworkConfig(inputs="vectors", z_dim=2, hidden_units=4, classes=3))
ORIGIN = ModelOrigin("trained", 3, 2, 16, 0.5, None)
AUDIT = {
    **{"version": "0123456789ab", "epoch": 3, "date": "2026-11-26T14:00:00+00:00", "checked": 350},
    **{"estimate": 0.971, "low": 0.952, "high": 0.984},
}
CLASS_LIST = ClassList(("cat", "dog", "kitten"), (0, 1, 0))
"""Three classes, the last of which was merged into the first."""


def run_readme(directory: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run each Python block of a model's README in the model's directory, and return what each prints."""
    monkeypatch.chdir(directory)
    printed = []
    for code in re.findall(r"```python\n(.*?)```", (directory / "README.md").read_text(), re.DOTALL):
        with contextlib.redirect_stdout(io.StringIO()) as stdout:
            exec(code, {})
        printed.append(stdout.getvalue())
    return printed


def build_model(shape: tuple[int, ...]) -> VAE:
    return build_networks(CONFIG.network, shape, seed=0).eval()


@pytest.mark.parametrize(("shape", "channels"), [((8, 12), 1), ((8, 12, 3), 3)])
def test_readme_code_loads_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], channels: int
) -> None:
    write_model_directory(ORIGIN, build_model(shape), CONFIG, shape, CLASS_LIST, False, tmp_path / "model")
    card = json.loads((tmp_path / "model/card.json").read_text())
    assert (card["classes"], card["merged_into"]) == (["cat", "dog", "kitten"], [0, 1, 0])
    assert (card["shape"], card["test_accuracy"]) == ([*shape], 0.5)
    assert f"[N, {channels}, height, width]" in card["input"]
    (printed,) = run_readme(tmp_path / "model", monkeypatch)
    class_names = ast.literal_eval(printed)
    assert len(class_names) == 4
    assert set(class_names) <= {"cat", "dog"}


@pytest.mark.parametrize("with_onnx", [False, True])
def test_networks_for_vectors_from_elsewhere_are_loaded_by_the_readme_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_onnx: bool
) -> None:
    features = FeatureRecord("/data/clip.npy", 640, 12, "0" * 64)
    vae = build_networks(VECTOR_CONFIG.network, (12,), seed=0).eval()
    origin = replace(ORIGIN, features=features)
    write_model_directory(origin, vae, VECTOR_CONFIG, (12,), CLASS_LIST, with_onnx, tmp_path / "model")
    card = json.loads((tmp_path / "model/card.json").read_text())
    assert card["input"] == "Vectors [N, 12] of any length, computed as those in the file clip.npy of the session were."
    assert card["features"] == {"width": 12, "sha256": "0" * 64, "model": None}
    printed = run_readme(tmp_path / "model", monkeypatch)
    assert [len(ast.literal_eval(text)) for text in printed] == [4] * (1 + with_onnx)
    assert "/data" not in (tmp_path / "model/README.md").read_text()
    if with_onnx:
        vectors = torch.rand(5, 12, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            expected = InputClassifier(vae, CLASS_LIST.canonical)(vectors).numpy()
        session = onnxruntime.InferenceSession(tmp_path / "model/model.onnx")
        (probabilities,) = session.run(["probabilities"], {"vectors": vectors.numpy()})
        assert np.abs(probabilities - expected).max() < 1e-5


def test_image_decoder_of_networks_for_vectors_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(VECTOR_CONFIG, network=replace(VECTOR_CONFIG.network, image_decoder=True))
    vae = build_networks(config.network, (12,), seed=0, image_shape=(8, 8)).eval()
    origin = replace(ORIGIN, features=FeatureRecord("/data/clip.npy", 640, 12, "0" * 64))
    write_model_directory(origin, vae, config, (12,), CLASS_LIST, False, tmp_path / "model")
    (printed,) = run_readme(tmp_path / "model", monkeypatch)
    assert len(ast.literal_eval(printed)) == 4


def test_networks_with_an_image_decoder_are_loaded_by_the_readme_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(VECTOR_CONFIG, network=replace(VECTOR_CONFIG.network, image_decoder=True))
    vae = build_networks(config.network, (12,), seed=0, image_shape=(8, 8, 3)).eval()
    origin = replace(ORIGIN, features=FeatureRecord("/data/clip.npy", 640, 12, "0" * 64), image_shape=(8, 8, 3))
    write_model_directory(origin, vae, config, (12,), CLASS_LIST, False, tmp_path / "model")
    (printed,) = run_readme(tmp_path / "model", monkeypatch)
    assert len(ast.literal_eval(printed)) == 4
    tensors = load_file(tmp_path / "model/model.safetensors")
    assert torch.equal(tensors["image_decoder.0.weight"], vae.state_dict()["image_decoder.0.weight"])


@pytest.mark.parametrize("downsampling", [1, 3])
def test_networks_for_photographs_are_exported(
    downsampling: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxscript")
    network = replace(CONFIG.network, patch_filters=8, patch_mirror=True, clustered="components")
    network = replace(network, downsampling=downsampling)
    config, images = replace(CONFIG, network=network), torch.rand(5, 3, 16, 20)
    vae = build_networks(network, (16, 20, 3), seed=0).eval()
    write_model_directory(ORIGIN, vae, config, (16, 20, 3), CLASS_LIST, True, tmp_path / "model")
    with torch.no_grad():
        expected = InputClassifier(vae, CLASS_LIST.canonical)(images).numpy()
    session = onnxruntime.InferenceSession(tmp_path / "model/model.onnx")
    (probabilities,) = session.run(["probabilities"], {"images": images.numpy()})
    assert np.abs(probabilities - expected).max() < 1e-5
    assert [len(ast.literal_eval(printed)) for printed in run_readme(tmp_path / "model", monkeypatch)] == [4, 4]


def test_card_and_readme_without_an_audit_promise_nothing(tmp_path: Path) -> None:
    write_model_directory(ORIGIN, build_model((8, 8)), CONFIG, (8, 8), CLASS_LIST, False, tmp_path / "model")
    card = json.loads((tmp_path / "model/card.json").read_text())
    assert (card["epoch"], card["round"], card["answers"], card["audit"]) == (3, 2, 16, None)
    assert card["probabilities"] == "uncalibrated"
    readme = (tmp_path / "model/README.md").read_text()
    assert "Nobody has measured how many labels of this session are right." in readme
    assert "`vaetui audit trained`" in readme
    assert "They are not calibrated" in readme


@pytest.mark.parametrize(("epoch", "networks"), [(3, "these networks"), (4, "the networks of epoch 3")])
def test_card_and_readme_hold_the_audit_and_the_networks_that_it_is_about(
    tmp_path: Path, epoch: int, networks: str
) -> None:
    origin = replace(ORIGIN, epoch=epoch, audit=AUDIT)
    write_model_directory(origin, build_model((8, 8)), CONFIG, (8, 8), CLASS_LIST, False, tmp_path / "model")
    assert json.loads((tmp_path / "model/card.json").read_text())["audit"] == AUDIT
    assert (
        "on 2026-11-26: 97.1 % right (95 % interval 95.2 to 98.4; 350 images checked). This holds for version "
        f"0123456789ab of the labels, which came from {networks}."
    ) in " ".join((tmp_path / "model/README.md").read_text().split())


def test_onnx_model_returns_the_probabilities_of_the_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript")
    vae = build_model((8, 8))
    write_model_directory(ORIGIN, vae, CONFIG, (8, 8), CLASS_LIST, True, tmp_path / "model")
    images = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = InputClassifier(vae, CLASS_LIST.canonical)(images).numpy()
    session = onnxruntime.InferenceSession(tmp_path / "model/model.onnx")
    (probabilities,) = session.run(["probabilities"], {"images": images.numpy()})
    assert np.abs(probabilities - expected).max() < 1e-5
    assert np.abs(probabilities.sum(axis=1) - 1).max() < 1e-5
    assert (probabilities[:, 2] == 0).all(), "a merged class has no probability of its own"
    for printed in run_readme(tmp_path / "model", monkeypatch):
        assert set(ast.literal_eval(printed)) <= {"cat", "dog"}


def test_classes_without_an_answer_are_not_predicted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript")
    for learned_class_id, class_name in enumerate(("cat", "dog")):
        origin, output = replace(ORIGIN, learned_class_ids=(learned_class_id,)), tmp_path / class_name
        write_model_directory(origin, build_model((8, 8)), CONFIG, (8, 8), CLASS_LIST, True, output)
        for printed in run_readme(output, monkeypatch):
            assert set(ast.literal_eval(printed)) == {class_name}


def test_a_directory_that_is_not_empty_raises_user_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match="is not empty"):
        write_model_directory(ORIGIN, build_model((8, 8)), CONFIG, (8, 8), CLASS_LIST, False, tmp_path)


def test_a_model_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)  # as if it were not installed
    vae = build_model((8, 8))
    with pytest.raises(UserError, match="ONNX needs more packages"):
        write_model_directory(ORIGIN, vae, CONFIG, (8, 8), CLASS_LIST, True, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
    write_model_directory(ORIGIN, vae, CONFIG, (8, 8), CLASS_LIST, False, tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "README.md",
        "card.json",
        "model.safetensors",
    ]

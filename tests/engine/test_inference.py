"""Tests of predictions for merged classes and for a part of the classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.idx import MNIST_DIRECTORY
from tests.simulated_accelerator import DEVICE, simulate_accelerator
from vaetui.engine import inference
from vaetui.engine.config import Config
from vaetui.engine.device_inputs import BATCH_IMAGES, DeviceImages
from vaetui.engine.images import images_from_array, read_idx_array
from vaetui.engine.inference import encode_and_classify
from vaetui.engine.recipes import get_recipe
from vaetui.engine.train_state import create_train_state
from vaetui.runtime.session_runner import drain_events


def test_probabilities_of_merged_classes_are_summed() -> None:
    pixels = read_idx_array(MNIST_DIRECTORY / "t10k-images-idx3-ubyte.gz", 3)[:300]
    dataset = DeviceImages(images_from_array(pixels), torch.device("cpu"))
    vae = create_train_state(Config(), (28, 28)).vae
    plain = drain_events(encode_and_classify(vae, dataset, Config(), "test", 1))
    unmerged = drain_events(encode_and_classify(vae, dataset, Config(), "test", 1, canonical=range(12)))
    assert np.array_equal(plain.confidences, unmerged.confidences)
    canonical = (0, 0, 2, 3, 4, 11, 11, 7, 8, 9, 10, 11)  # classes 10 and 11 are new: the networks have 10 classes
    merged = drain_events(encode_and_classify(vae, dataset, Config(), "test", 1, canonical=canonical))
    with torch.no_grad():
        latents = torch.from_numpy(plain.latents)
        probabilities = vae.classify(latents, latents).softmax(dim=1).numpy()
    sums = np.zeros((300, 12), np.float32)
    for class_id in range(10):
        sums[:, canonical[class_id]] += probabilities[:, class_id]
    assert np.array_equal(merged.class_ids, sums.argmax(axis=1))
    assert np.allclose(merged.confidences, sums.max(axis=1), atol=1e-5)
    assert {1, 5, 6}.isdisjoint(merged.class_ids.tolist())
    assert np.array_equal(merged.latents, plain.latents)


def test_only_allowed_classes_are_predicted_and_their_probabilities_sum_to_1() -> None:
    pixels = read_idx_array(MNIST_DIRECTORY / "t10k-images-idx3-ubyte.gz", 3)[:300]
    dataset = DeviceImages(images_from_array(pixels), torch.device("cpu"))
    vae = create_train_state(Config(), (28, 28)).vae
    plain = drain_events(encode_and_classify(vae, dataset, Config(), "test", 1))
    with torch.no_grad():
        latents = torch.from_numpy(plain.latents)
        probabilities = vae.classify(latents, latents).softmax(dim=1).numpy()
    canonical = (0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 10)  # class 9 was merged into 8; the networks do not have class 10
    options = {"canonical": canonical, "allowed_class_ids": (1, 8)}
    allowed = drain_events(encode_and_classify(vae, dataset, Config(), "test", 1, **options))
    scores = np.stack([probabilities[:, 1], probabilities[:, 8] + probabilities[:, 9]], axis=1)
    assert np.array_equal(allowed.class_ids, np.array([1, 8])[scores.argmax(axis=1)])
    assert np.allclose(allowed.confidences, scores.max(axis=1) / scores.sum(axis=1), atol=1e-5)
    everything = drain_events(encode_and_classify(vae, dataset, Config(), "test", 1, allowed_class_ids=range(10)))
    assert np.array_equal(everything.confidences, plain.confidences), "bit for bit"


def test_confidence_is_finite_where_the_networks_exclude_all_allowed_classes() -> None:
    dataset = DeviceImages(images_from_array(np.full((4, 28, 28), 255, np.uint8)), torch.device("cpu"))
    vae = create_train_state(Config(), (28, 28)).vae
    with torch.no_grad():
        vae.classifier.bias[0] = 1e6  # the softmax of all other classes is 0 in float32
    allowed = drain_events(encode_and_classify(vae, dataset, Config(), "test", 1, allowed_class_ids=(1, 2)))
    assert set(allowed.class_ids.tolist()) <= {1, 2}
    assert np.isfinite(allowed.confidences).all()


@pytest.mark.parametrize("name", ["propagation", "paper", "photos"])
def test_predictions_on_an_accelerator_are_those_of_the_cpu_and_wait_once_a_batch(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "ACCELERATOR_BATCH_IMAGES", 4 * BATCH_IMAGES)
    pixels = read_idx_array(MNIST_DIRECTORY / "t10k-images-idx3-ubyte.gz", 3)[:1_300]
    images, config = images_from_array(pixels), get_recipe(name)
    options = {"canonical": (0, 1, 2, 3, 3, 5, 6, 7, 8, 9), "allowed_class_ids": (1, 3, 8)}
    vae = create_train_state(config, (28, 28)).vae
    expected = drain_events(
        encode_and_classify(vae, DeviceImages(images, torch.device("cpu")), config, "test", 1, **options)
    )
    with simulate_accelerator(has_float64=False) as accelerator:
        on_device = DeviceImages(images, DEVICE)
        device_vae = vae.to(DEVICE)
        accelerator.reset()
        predictions = drain_events(encode_and_classify(device_vae, on_device, config, "test", 1, **options))
        assert sum(accelerator.waits.values()) == 2
    for column in ("latents", "class_ids", "second_class_ids", "confidences", "leads"):
        values, expected_values = getattr(predictions, column), getattr(expected, column)
        assert values.dtype == expected_values.dtype
        assert np.allclose(values, expected_values, rtol=1e-3, atol=1e-4), column


def test_noise_of_sampled_latent_vectors_does_not_depend_on_the_batch_size() -> None:
    pixels = read_idx_array(MNIST_DIRECTORY / "t10k-images-idx3-ubyte.gz", 3)[:600]
    dataset = DeviceImages(images_from_array(pixels), torch.device("cpu"))
    vae = create_train_state(Config(), (28, 28)).vae
    inputs = dataset.load(slice(None))
    whole = inference._predict_batch(vae, inputs, Config(), None, None, (), "test", 1, 0)
    parts = [
        inference._predict_batch(vae, inputs[start : start + 256], Config(), None, None, (), "test", 1, start)
        for start in (0, 256, 512)
    ]
    assert torch.allclose(whole, torch.cat(parts), atol=1e-5)

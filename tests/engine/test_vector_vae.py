"""Tests of the networks for vectors, their second view, and their training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.engine.trained_states import to_bits
from vaetui.engine.config import AugmentConfig, Config
from vaetui.engine.device_inputs import DeviceImages, DeviceVectors, put_on_device
from vaetui.engine.images import images_from_array
from vaetui.engine.inference import encode_and_classify
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.recipes import FEATURES_RECIPE, get_recipe
from vaetui.engine.train_state import TrainState, create_train_state, load_checkpoint_arrays, to_checkpoint_arrays
from vaetui.engine.training import train_epoch
from vaetui.engine.vector_augmentation import augment_vectors
from vaetui.engine.vector_vae import SCALE_FLOOR, VectorVAE
from vaetui.engine.vectors import Vectors, vectors_from_array
from vaetui.runtime.session_runner import drain_events

CPU = torch.device("cpu")
COUNT, WIDTH, CLASSES = 600, 12, 3
RECIPE = get_recipe(FEATURES_RECIPE)
CONFIG = replace(
    RECIPE,
    network=replace(RECIPE.network, z_dim=4, hidden_units=16, classes=CLASSES),
    training=replace(RECIPE.training, batch_size=50, min_batches=48, learning_rate=5e-3, lr_schedule="none"),
    threads=1,
)


def draw_vectors(dtype: type = np.float32) -> tuple[Vectors, NDArray[np.int64]]:
    """Return vectors in three bundles of directions and any length, with their classes."""
    generator = np.random.default_rng(0)
    class_ids = np.arange(COUNT) % CLASSES
    directions = generator.standard_normal((CLASSES, WIDTH))[class_ids] + generator.normal(0, 0.4, (COUNT, WIDTH))
    vectors = directions * generator.uniform(0.5, 3.0, (COUNT, 1)) + 1
    vectors[:, 3] = 0.5  # never changes but by the length
    return vectors_from_array(vectors.astype(dtype)), class_ids


def create_state(config: Config = CONFIG) -> tuple[TrainState, VectorVAE]:
    state = create_train_state(config, (WIDTH,), (8, 8))
    assert isinstance(state.vae, VectorVAE)
    state.vae.fit_to_vectors(draw_vectors()[0], 0)
    return state, state.vae


def test_vectors_are_standardised_by_mean_and_scale_of_each_number_at_length_1() -> None:
    vectors, _ = draw_vectors()
    _, vae = create_state()
    unit_vectors = vectors[:] / np.linalg.norm(vectors[:], axis=1, keepdims=True)
    stds = unit_vectors.std(axis=0)
    expected = (unit_vectors - unit_vectors.mean(axis=0)) / (stds + SCALE_FLOOR * stds.mean())
    standardised = vae.standardise(torch.from_numpy(vectors[:]))
    assert np.allclose(standardised.numpy(), expected, atol=1e-4)
    assert torch.allclose(vae.standardise(7 * torch.from_numpy(vectors[:])), standardised, atol=1e-5)


def test_reconstruction_is_half_the_squared_error_of_standardised_vectors() -> None:
    vectors = torch.from_numpy(draw_vectors()[0][:20])
    _, vae = create_state()
    latents = vae.eval().encode(vectors).mean
    decoded = (vae.decode(latents) - vae.input_mean) / vae.input_scale
    expected = ((decoded - vae.standardise(vectors)) ** 2).sum() / 2 / 20
    assert torch.isclose(vae.measure_reconstruction(latents, vectors), expected, rtol=1e-4)


def test_constant_and_zero_vectors_stay_finite() -> None:
    _, vae = create_state()
    vae.fit_to_vectors(vectors_from_array(np.ones((30, WIDTH), np.float16)), 0)
    for vectors in (torch.ones(3, WIDTH), torch.zeros(3, WIDTH), torch.full((3, WIDTH), 65504.0)):
        assert vae.eval().standardise(vectors).isfinite().all()
        assert vae.encode(vectors).mean.isfinite().all()


def test_second_view_replaces_numbers_by_their_mean_or_adds_noise_of_their_scale() -> None:
    vectors, mean, scale = torch.randn(400, WIDTH), torch.arange(WIDTH) + 10.0, torch.arange(WIDTH) / 10 + 0.1
    units = torch.nn.functional.normalize(vectors, dim=1)
    views = augment_vectors(vectors, mean, scale, AugmentConfig(vector_dropout=0.25), 0, 1, 2)
    is_dropped = views == mean
    assert abs(is_dropped.float().mean() - 0.25) < 0.03
    assert torch.equal(views[~is_dropped], units[~is_dropped])
    views = augment_vectors(vectors, mean, scale, AugmentConfig(vector_noise=0.5), 0, 1, 2)
    assert torch.allclose((views - units).std(dim=0), scale * 0.5, rtol=0.15)
    assert torch.equal(views, augment_vectors(vectors, mean, scale, AugmentConfig(vector_noise=0.5), 0, 1, 2))
    assert not torch.equal(views, augment_vectors(vectors, mean, scale, AugmentConfig(vector_noise=0.5), 0, 1, 3))
    disabled = replace(AugmentConfig(vector_dropout=0.5, vector_noise=0.5), strength=0.0)
    assert torch.equal(augment_vectors(vectors, mean, scale, disabled, 0, 1, 2), units)


def test_training_teaches_the_classes_and_continues_from_a_checkpoint_to_the_same_bits() -> None:
    vectors, class_ids = draw_vectors(np.float16)
    inputs, labels = DeviceVectors(vectors, CPU), PseudoLabels(class_ids, np.ones(COUNT, np.float32))
    state, vae = create_state()
    reports = [report for epoch in (1, 2, 3) for report in train_epoch(state, inputs, labels, CONFIG, epoch)]
    assert reports[-1].losses.reconstruction < 0.8 * reports[0].losses.reconstruction
    predictions = drain_events(encode_and_classify(vae, inputs, CONFIG, "training", 1))
    assert np.mean(predictions.class_ids == class_ids) > 0.95
    assert predictions.latents.shape == (COUNT, 4)

    stopped, _ = create_state()
    list(train_epoch(stopped, inputs, labels, CONFIG, 1))
    first_report = next(train_epoch(stopped, inputs, labels, CONFIG, 2))
    resumed = create_train_state(replace(CONFIG, seed=9), (WIDTH,))
    load_checkpoint_arrays(resumed, to_checkpoint_arrays(stopped))
    for epoch, start in ((2, first_report.step), (3, 0)):
        list(train_epoch(resumed, inputs, labels, CONFIG, epoch, start))
    assert to_bits(resumed) == to_bits(state)


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_last_batch_of_one_vector_is_trained_on(strength: float) -> None:
    config = replace(
        CONFIG,
        training=replace(CONFIG.training, batch_size=COUNT - 1, min_batches=1),
        augmentation=replace(CONFIG.augmentation, strength=strength),
    )
    state, _ = create_state(config)
    reports = list(train_epoch(state, DeviceVectors(draw_vectors()[0], CPU), None, config, 1))
    assert reports[-1].step == 2


def test_image_decoder_learns_without_changing_the_other_networks() -> None:
    vectors, class_ids = draw_vectors()
    inputs, labels = DeviceVectors(vectors, CPU), PseudoLabels(class_ids, np.ones(COUNT, np.float32))
    pixels = np.zeros((COUNT, 8, 8), np.uint8)
    pixels[np.arange(COUNT), class_ids] = 255  # one bright row
    plain, _ = create_state()
    config = replace(CONFIG, network=replace(CONFIG.network, image_decoder=True, channels=(4, 8)))
    state, vae = create_state(config)
    images = DeviceImages(images_from_array(pixels), CPU)
    for epoch in range(1, 6):
        list(train_epoch(plain, inputs, labels, CONFIG, epoch))
        list(train_epoch(state, inputs, labels, config, epoch, images=images))
    plain_bits, bits = to_bits(plain), to_bits(state)
    assert {name: bits[name] for name in plain_bits} == plain_bits
    assert all("image_decoder" in name for name in bits.keys() - plain_bits.keys())
    means = vae.eval().encode(inputs.load(slice(None))).mean
    decoded = vae.decode_images(means).sigmoid()[:, 0].detach().numpy()
    assert np.mean((decoded > 0.5) == (pixels > 127)) > 0.95


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_device_vectors_are_the_selected_rows_as_float32(dtype: type) -> None:
    array: NDArray[np.float32] = np.arange(60, dtype=dtype).reshape(10, 6)
    vectors = Vectors(array, np.array([7, 1, 4]))
    on_device = put_on_device(vectors, CPU)
    assert len(on_device) == 3
    loaded = on_device.load(torch.tensor([2, 0]))
    assert loaded.dtype == torch.float32
    assert np.array_equal(loaded.numpy(), array[[4, 7]])
    assert np.array_equal(on_device.load(slice(0, 2)).numpy(), vectors[0:2])

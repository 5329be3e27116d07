"""Tests of the three views of an image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from tests.idx import MNIST_DIRECTORY
from vaetui.engine.config import MAX_HIDDEN_COMPONENTS, MAX_PIXEL_COMPONENTS, AugmentConfig, Config
from vaetui.engine.device_inputs import DeviceImages, DeviceInputs, DeviceVectors
from vaetui.engine.image_views import (
    MAX_PIXEL_VALUES,
    ViewComponents,
    fit_hidden_components,
    fit_pixel_components,
    project_views,
)
from vaetui.engine.images import images_from_array, read_idx_array
from vaetui.engine.inference import encode_and_classify
from vaetui.engine.networks import Networks
from vaetui.engine.recipes import get_recipe
from vaetui.engine.train_state import create_train_state
from vaetui.engine.vectors import Vectors
from vaetui.runtime.session_runner import drain_events

CPU = torch.device("cpu")
PIXELS = read_idx_array(MNIST_DIRECTORY / "t10k-images-idx3-ubyte.gz", 3)[:600]
INPUTS = DeviceImages(images_from_array(PIXELS), CPU)
CONFIG = replace(get_recipe("propagation"), device="cpu")
COLOUR_CONFIG = replace(CONFIG, augmentation=replace(CONFIG.augmentation, colour_jitter=0.0))
"""Colours tell the class."""
Z_DIM = CONFIG.network.z_dim


def to_unit_length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def fit_view_components(vae: Networks, inputs: DeviceInputs, config: Config) -> ViewComponents:
    hidden, pixels = fit_hidden_components(vae, inputs, config, 2), fit_pixel_components(inputs, config)
    return ViewComponents(*hidden, *pixels)


def test_views_are_hidden_units_latent_vectors_and_pixels_of_length_1() -> None:
    vae = create_train_state(CONFIG, (28, 28)).vae
    components = fit_view_components(vae, INPUTS, CONFIG)
    predictions = drain_events(encode_and_classify(vae, INPUTS, CONFIG, "training", 2, view_components=components))
    assert predictions.views is not None
    ends = MAX_HIDDEN_COMPONENTS, MAX_HIDDEN_COMPONENTS + Z_DIM
    hidden_view, latent_view, pixel_view = np.split(predictions.views, ends, axis=1)
    assert pixel_view.shape == (600, MAX_PIXEL_COMPONENTS)
    with torch.no_grad():
        hidden = to_unit_length(vae.eval().encode(INPUTS.load(slice(None))).hidden.numpy())
    np.testing.assert_allclose(latent_view, to_unit_length(predictions.latents), atol=1e-5)
    pairs = (
        (hidden_view, hidden, MAX_HIDDEN_COMPONENTS),
        (pixel_view, PIXELS.reshape(600, -1) / 255, MAX_PIXEL_COMPONENTS),
    )
    for view, values, count in pairs:
        scores = PCA(count, svd_solver="full").fit_transform(values.astype(np.float64))
        # Components are found but for their signs, which distances do not depend on.
        expected = to_unit_length(scores)
        np.testing.assert_allclose(view @ view.T, expected @ expected.T, atol=1e-3)


def test_views_change_no_other_prediction() -> None:
    vae = create_train_state(CONFIG, (28, 28)).vae
    components = fit_view_components(vae, INPUTS, CONFIG)
    with_views = drain_events(encode_and_classify(vae, INPUTS, CONFIG, "training", 2, view_components=components))
    plain = drain_events(encode_and_classify(vae, INPUTS, CONFIG, "training", 2))
    assert plain.views is None
    for name in ("latents", "class_ids", "confidences", "second_class_ids", "leads"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(with_views, name), err_msg=name)


def test_components_depend_on_seed_and_epoch_and_not_on_the_threads_of_numpy() -> None:
    vae = create_train_state(CONFIG, (28, 28)).vae
    hidden, pixels = fit_hidden_components(vae, INPUTS, CONFIG, 2), fit_pixel_components(INPUTS, CONFIG)
    with threadpool_limits(limits=1):
        assert all(map(np.array_equal, hidden, fit_hidden_components(vae, INPUTS, CONFIG, 2)))
        assert all(map(np.array_equal, pixels, fit_pixel_components(INPUTS, CONFIG)))
    other = fit_hidden_components(vae, INPUTS, CONFIG, 3)
    np.testing.assert_allclose(
        hidden.mean, other.mean, atol=1e-5
    )  # a sample of fewer than 10,000 images is all of them


def test_few_hidden_units_and_few_pixels_have_as_few_components() -> None:
    config = replace(Config(), device="cpu", network=replace(Config().network, hidden_units=8))
    inputs = DeviceImages(images_from_array(PIXELS[:, 10:14, 10:14]), CPU)
    components = fit_view_components(create_train_state(config, (4, 4)).vae, inputs, config)
    assert components.hidden_directions.shape == (8, 8)
    assert components.pixel_directions.shape == (16, 16)
    assert components.count_columns(config) == 8 + config.network.z_dim + 16


def test_pixels_of_large_images_are_averaged_over_squares_before() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 48, 48, 3), dtype=np.uint8)
    components = fit_pixel_components(DeviceImages(images_from_array(pixels), CPU), COLOUR_CONFIG)
    assert MAX_PIXEL_VALUES // 2 < len(components.mean) <= MAX_PIXEL_VALUES
    averages = pixels.reshape(40, 16, 3, 16, 3, 3).mean(axis=(0, 2, 4)) / 255
    np.testing.assert_allclose(components.mean, averages.transpose(2, 0, 1).ravel(), atol=1e-5)


def test_views_of_pixels_ignore_colours_unless_these_tell_the_class() -> None:
    shapes = torch.from_numpy(PIXELS[:40].astype(np.float32))[:, None] / 255  # [40, 1, 28, 28]
    dark, bright = torch.rand(2, 2, 40, 3, 1, 1, generator=torch.Generator().manual_seed(0)) * 0.5
    coloured, other = dark * (1 - shapes) + (0.5 + bright) * shapes  # each image in two pairs of colours
    hidden, latents = torch.zeros(40, 2), torch.zeros(40, 1)
    gaps = []
    for config in (CONFIG, COLOUR_CONFIG, replace(COLOUR_CONFIG, augmentation=AugmentConfig(strength=0.0))):
        inputs = DeviceImages(images_from_array((255 * coloured.permute(0, 2, 3, 1)).byte().numpy()), CPU)
        components = [torch.zeros(2), torch.eye(2), *map(torch.from_numpy, fit_pixel_components(inputs, config))]
        views, others = (project_views(hidden, latents, images, components, config) for images in (coloured, other))
        gaps.append(float((views - others).norm(dim=1).mean()))
    assert gaps[0] < 0.2
    assert min(gaps[1:]) > 0.8


def test_vectors_are_their_own_third_view() -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 24), np.float32)
    inputs = DeviceVectors(Vectors(vectors, np.arange(50)), CPU)
    components = fit_pixel_components(inputs, replace(get_recipe("features"), device="cpu"))
    np.testing.assert_allclose(components.mean, inputs.load(slice(None)).mean(dim=0), atol=1e-5)


def test_image_equal_to_the_mean_has_an_empty_view_of_its_pixels() -> None:
    hidden, latents, images = torch.ones(3, 2), torch.ones(3, 1), torch.tensor([[0.0], [1.0], [2.0]])
    components = [torch.zeros(2), torch.eye(2), torch.tensor([1.0]), torch.ones(1, 1)]
    views = project_views(hidden, latents, images, components, CONFIG)
    assert views[:, -1].tolist() == [-1, 0, 1]

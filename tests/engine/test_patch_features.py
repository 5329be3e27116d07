"""Tests of the features of patches, and of the networks that read them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.data.photographs import draw_photographs
from vaetui.engine.config import Config
from vaetui.engine.images import images_from_array
from vaetui.engine.networks import build_networks
from vaetui.engine.patch_features import PatchFeatures
from vaetui.engine.patch_vae import PatchVAE
from vaetui.engine.recipes import get_recipe
from vaetui.engine.train_state import create_train_state, load_checkpoint_arrays, to_checkpoint_arrays
from vaetui.engine.vae import to_float_images

IMAGES, LABELS = draw_photographs(300)


def compute_features(
    images: NDArray[np.uint8], *, mirror: bool = True, filter_count: int = 32, width: int = 24, seed: int = 0
) -> NDArray[np.float32]:
    features = PatchFeatures(images.shape[1:], filter_count, width, mirror=mirror)
    features.fit(images_from_array(images), seed)
    vectors: NDArray[np.float32] = features(to_float_images(torch.from_numpy(images))).numpy()
    return vectors


def measure_neighbour_agreement(vectors: NDArray[np.float32]) -> float:
    """Return how often one of the 5 nearest other vectors, by angle, has the same class."""
    vectors = vectors - vectors.mean(axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -np.inf)
    neighbours = np.argsort(-similarities, axis=1)[:, :5]
    return float((LABELS[neighbours] == LABELS[:, None]).mean())


def test_neighbours_share_the_texture_far_more_often_than_by_their_pixels() -> None:
    by_pixels = measure_neighbour_agreement(IMAGES.reshape(len(IMAGES), -1).astype(np.float32))
    assert by_pixels < 0.6
    assert measure_neighbour_agreement(compute_features(IMAGES)) > 0.9


def test_mirror_image_has_the_same_features_only_if_chosen() -> None:
    images = np.concatenate([IMAGES, IMAGES[:, :, ::-1]])
    for mirror in (True, False):
        features = compute_features(images, mirror=mirror)
        differences = np.abs(features[:300] - features[300:]).max(axis=1)
        assert (differences < 1e-3).all() if mirror else (differences > 0.1).all()


def test_features_depend_on_seed_but_not_on_the_number_of_threads() -> None:
    thread_count = torch.get_num_threads()
    results = []
    try:
        for threads, seed in ((1, 0), (2, 0), (1, 1)):
            torch.set_num_threads(threads)
            results.append(compute_features(IMAGES[:100], seed=seed))
    finally:
        torch.set_num_threads(thread_count)
    assert np.allclose(results[0], results[1], atol=1e-4)
    assert not np.allclose(results[0], results[2], atol=1e-2)


@pytest.mark.parametrize("shape", [(40, 3, 3, 3), (40, 8, 8), (40, 28, 40, 3), (40, 65, 33, 3), (12, 32, 32, 3)])
def test_features_of_any_size_are_finite_and_differ_between_images(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    features = compute_features(images)
    assert features.shape == (shape[0], 24)
    assert np.isfinite(features).all()
    assert len(np.unique(features.round(3), axis=0)) == shape[0]


def test_plain_images_among_others_have_finite_features() -> None:
    images = IMAGES.copy()
    images[:50] = np.arange(50, dtype=np.uint8)[:, None, None, None]
    assert np.isfinite(compute_features(images)).all()


def make_small_config() -> Config:
    config = replace(get_recipe("photos"), device="cpu")
    return replace(config, network=replace(config.network, patch_filters=16, z_dim=32))


def build_fitted_networks(config: Config) -> PatchVAE:
    vae = build_networks(config.network, IMAGES.shape[1:], 0)
    assert isinstance(vae, PatchVAE)
    vae.fit_to_images(images_from_array(IMAGES), 0)
    return vae.eval()


def test_networks_decode_images_and_project_to_the_components_that_are_clustered() -> None:
    config = make_small_config()
    images = to_float_images(torch.from_numpy(IMAGES[:8]))
    vae = build_fitted_networks(config)
    encoding = vae.encode(images)
    assert encoding.mean.shape == encoding.std.shape == (8, config.network.z_dim)
    assert encoding.hidden.shape == (8, config.network.hidden_units)
    assert vae.decode(encoding.mean).shape == images.shape
    features = vae.patch_features(images)
    assert encoding.components is not None
    assert torch.equal(encoding.components, features[:, : config.network.z_dim])
    latents_config = replace(config, network=replace(config.network, clustered="latents"))
    assert build_fitted_networks(latents_config).encode(images).components is None


def test_checkpoint_restores_the_filters() -> None:
    config = make_small_config()
    state, other = (create_train_state(config, IMAGES.shape[1:]) for _ in range(2))
    assert isinstance(state.vae, PatchVAE)
    state.vae.fit_to_images(images_from_array(IMAGES), 0)
    load_checkpoint_arrays(other, to_checkpoint_arrays(state))
    images = to_float_images(torch.from_numpy(IMAGES[:8]))
    assert torch.equal(other.vae.eval().encode(images).mean, state.vae.eval().encode(images).mean)

"""Tests of the principal components of hidden units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from tests.idx import MNIST_DIRECTORY
from vaetui.engine.clusters import to_metric_space
from vaetui.engine.config import MAX_HIDDEN_COMPONENTS, Config
from vaetui.engine.device_inputs import DeviceImages
from vaetui.engine.hidden_components import fit_hidden_components
from vaetui.engine.images import images_from_array, read_idx_array
from vaetui.engine.inference import encode_and_classify
from vaetui.engine.recipes import get_recipe
from vaetui.engine.train_state import create_train_state
from vaetui.runtime.session_runner import drain_events

PIXELS = read_idx_array(MNIST_DIRECTORY / "t10k-images-idx3-ubyte.gz", 3)[:600]
INPUTS = DeviceImages(images_from_array(PIXELS), torch.device("cpu"))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_distances_between_components_are_nearly_those_between_hidden_units(metric: str) -> None:
    config = get_recipe("propagation")
    config = replace(config, device="cpu", cluster=replace(config.cluster, distance_metric=metric))
    vae = create_train_state(config, (28, 28)).vae
    components = fit_hidden_components(vae, INPUTS, config, 2)
    predictions = drain_events(encode_and_classify(vae, INPUTS, config, "training", 2, hidden_components=components))
    projections = predictions.hidden_components
    assert projections is not None
    assert projections.shape == (600, MAX_HIDDEN_COMPONENTS)
    with torch.no_grad():
        hidden = vae.eval().encode(INPUTS.load(slice(None))).hidden.numpy()
    hidden = to_metric_space(hidden, metric)  # type: ignore[arg-type]
    distances = np.linalg.norm(hidden[:300] - hidden[300:], axis=1)
    projected_distances = np.linalg.norm(projections[:300] - projections[300:], axis=1)
    assert (projected_distances < 1.001 * distances).all(), "a projection never lengthens"
    assert projected_distances.mean() > 0.85 * distances.mean()
    assert (np.diff(projections.var(axis=0)) < 1e-6).all(), "in descending order"
    plain = drain_events(encode_and_classify(vae, INPUTS, config, "training", 2))
    assert plain.hidden_components is None
    for name in ("latents", "class_ids", "confidences", "second_class_ids", "leads"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(predictions, name), err_msg=name)


def test_components_depend_on_seed_and_epoch_and_not_on_the_threads_of_numpy() -> None:
    config = replace(get_recipe("propagation"), device="cpu")
    vae = create_train_state(config, (28, 28)).vae
    first, other = (fit_hidden_components(vae, INPUTS, config, epoch) for epoch in (2, 3))
    with threadpool_limits(limits=1):
        same = fit_hidden_components(vae, INPUTS, config, 2)
    assert all(map(np.array_equal, first, same))
    np.testing.assert_allclose(first.mean, other.mean, atol=1e-5)  # a sample of fewer than 10,000 images is all of them


def test_few_hidden_units_have_as_few_components() -> None:
    config = replace(Config(), device="cpu", network=replace(Config().network, hidden_units=8))
    components = fit_hidden_components(create_train_state(config, (28, 28)).vae, INPUTS, config, 2)
    assert components.directions.shape == (8, 8)

"""Tests of checkpoints, devices and growing classifiers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.engine.trained_states import (
    CONFIG,
    IMAGE_COUNT,
    NETWORK,
    load_digits,
    random_labels,
    to_bits,
    train_new_state,
)
from vaetui.engine.config import Config
from vaetui.engine.device_inputs import DeviceImages
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.train_state import (
    NamedArrays,
    TrainState,
    bound_checkpoint_bytes,
    create_train_state,
    expand_classifier,
    load_checkpoint_arrays,
    to_checkpoint_arrays,
)
from vaetui.engine.training import train_epoch
from vaetui.errors import UserError
from vaetui.storage import tensors


@pytest.fixture(scope="module")
def images() -> DeviceImages:
    return load_digits()


@pytest.fixture(scope="module")
def trained(images: DeviceImages) -> TrainState:
    return train_new_state(images, CONFIG, random_labels())[0]


@pytest.fixture
def arrays(trained: TrainState) -> NamedArrays:
    return to_checkpoint_arrays(trained)


def with_classes(count: int) -> Config:
    return replace(CONFIG, network=replace(NETWORK, classes=count))


def test_loaded_state_has_the_bits_of_the_saved_one(trained: TrainState, arrays: NamedArrays) -> None:
    loaded = create_train_state(replace(CONFIG, seed=9), (28, 28))
    load_checkpoint_arrays(loaded, arrays)
    assert to_bits(loaded) == to_bits(trained)


def test_stored_checkpoint_is_smaller_than_the_upper_bound(trained: TrainState, arrays: NamedArrays) -> None:
    assert len(tensors.encode_safetensors(arrays)) < bound_checkpoint_bytes(trained)


def test_checkpoint_of_another_network_is_refused(arrays: NamedArrays) -> None:
    other = create_train_state(replace(CONFIG, network=replace(NETWORK, z_dim=4)), (28, 28))
    with pytest.raises(UserError, match="does not match the networks"):
        load_checkpoint_arrays(other, arrays)


def test_expanded_classifier_keeps_its_rows_and_learns_the_new_classes(
    trained: TrainState, images: DeviceImages
) -> None:
    expanded = expand_classifier(trained, with_classes(12), (28, 28))
    before, after = to_checkpoint_arrays(trained), to_checkpoint_arrays(expanded)
    assert list(before) == list(after)
    for name, array in after.items():
        if ".classifier." in name and array.ndim:
            assert len(array) == 12
            assert not array[10:].any()
            array = array[:10]
        assert np.array_equal(array, before[name]), name
    assert expand_classifier(expanded, with_classes(12), (28, 28)) is expanded
    new_class = PseudoLabels(np.full(IMAGE_COUNT, 11), np.ones(IMAGE_COUNT, np.float32))
    next(train_epoch(expanded, images, new_class, with_classes(12), epoch=2))
    assert to_checkpoint_arrays(expanded)["network.classifier.weight"][11].any()


@pytest.mark.parametrize(
    "name",
    [
        "network.classifier.weight",
        "network.classifier.bias",
        "network.encoder.0.weight",
        "optimiser.exp_avg.encoder.0.weight",
    ],
)
def test_checkpoint_with_other_missing_rows_is_refused_and_changes_nothing(arrays: NamedArrays, name: str) -> None:
    arrays[name] = arrays[name][:-1]
    state = create_train_state(with_classes(12), (28, 28))
    before = to_bits(state)
    with pytest.raises(UserError, match="does not match the networks"):
        load_checkpoint_arrays(state, arrays)
    assert to_bits(state) == before


def test_checkpoint_with_a_part_of_the_optimiser_is_refused(arrays: NamedArrays) -> None:
    del arrays["optimiser.exp_avg.encoder.0.weight"]
    with pytest.raises(UserError, match="only a part of the optimiser's state"):
        load_checkpoint_arrays(create_train_state(CONFIG, (28, 28)), arrays)


def test_checkpoint_of_more_classes_is_refused() -> None:
    larger = create_train_state(with_classes(11), (28, 28))
    with pytest.raises(UserError, match="does not match the networks"):
        load_checkpoint_arrays(create_train_state(CONFIG, (28, 28)), to_checkpoint_arrays(larger))

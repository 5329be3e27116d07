"""Training: the same seed gives the same bits, stopped or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.idx import MNIST_DIRECTORY
from vaetui.engine.config import Config
from vaetui.engine.events import BatchesTrained
from vaetui.engine.images import read_idx
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.training import (
    TrainState,
    create_train_state,
    expand_classes,
    find_device,
    load_state_dict,
    state_dict,
    train,
)
from vaetui.errors import UserError


@pytest.fixture(scope="module")
def pixels() -> torch.Tensor:
    return torch.tensor(read_idx(MNIST_DIRECTORY / "t10k-images-idx3-ubyte.gz", 3)[:1_300])


def bits(learner: TrainState) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in state_dict(learner).items()}


def weights(seed: int = 0) -> PseudoLabels:
    draw = np.random.default_rng(seed)
    return PseudoLabels(draw.integers(0, 10, 1_300), draw.random(1_300).astype(np.float32))


def run(
    pixels: torch.Tensor, config: Config, said: PseudoLabels | None = None
) -> tuple[TrainState, list[BatchesTrained]]:
    made = create_train_state(config, (28, 28))
    return made, list(train(made, pixels, said, config, epoch=1))


def test_the_same_seed_gives_the_same_bits(pixels: torch.Tensor) -> None:
    first, second = (run(pixels, Config(), weights())[0] for _ in range(2))
    assert bits(first) == bits(second)
    assert bits(first) != bits(run(pixels, Config(seed=1), weights())[0])


def test_stopping_and_going_on_from_a_snapshot_gives_the_same_bits(pixels: torch.Tensor) -> None:
    whole, reports = run(pixels, Config(), weights())
    assert [report.step for report in reports] == [8, 16, 21]
    stopped = create_train_state(Config(), (28, 28))
    going = train(stopped, pixels, weights(), Config(), epoch=1)
    at = next(going).step
    kept: dict[str, NDArray[np.float32]] = {name: array.copy() for name, array in state_dict(stopped).items()}
    again = create_train_state(Config(seed=0), (28, 28))
    load_state_dict(again, kept)
    rest = list(train(again, pixels, weights(), Config(), epoch=1, start_step=at))
    assert bits(again) == bits(whole)
    assert [report.losses for report in rest] == [report.losses for report in reports[1:]]


def test_training_lowers_the_loss(pixels: torch.Tensor) -> None:
    _, reports = run(pixels, Config())
    assert reports[-1].losses.reconstruction < 0.6 * reports[0].losses.reconstruction


def test_an_unsupervised_epoch_leaves_the_classifier_alone(pixels: torch.Tensor) -> None:
    made, reports = run(pixels, Config())
    before = create_train_state(Config(), (28, 28))
    assert torch.equal(made.vae.classifier.weight, before.vae.classifier.weight)
    assert all(report.losses.classification == 0 for report in reports)


def test_labels_teach_the_classifier(pixels: torch.Tensor) -> None:
    labels = read_idx(MNIST_DIRECTORY / "t10k-labels-idx1-ubyte.gz", 1)[:1_300].astype(np.int64)
    made = create_train_state(Config(), (28, 28))
    said = PseudoLabels(labels, np.full(1_300, 0.7, np.float32))
    for epoch in (1, 2, 3):
        list(train(made, pixels, said, Config(), epoch))
    with torch.no_grad():
        hidden, mean, _ = made.vae.encode(pixels.unsqueeze(1) / 255)
        right = (made.vae.classify(hidden, mean).argmax(dim=1).numpy() == labels).mean()
    assert right > 0.6


def test_the_mean_can_be_classified_instead_of_the_sample(pixels: torch.Tensor) -> None:
    config = Config(network=replace(Config().network, latent="mean"))
    assert bits(run(pixels, config, weights())[0]) != bits(run(pixels, Config(), weights())[0])


def test_a_checkpoint_of_another_network_is_refused(pixels: torch.Tensor) -> None:
    other = create_train_state(Config(network=replace(Config().network, z_dim=4)), (28, 28))
    with pytest.raises(UserError, match="does not fit"):
        load_state_dict(create_train_state(Config(), (28, 28)), state_dict(other))


def with_classes(count: int) -> Config:
    return Config(network=replace(Config().network, classes=count))


def test_a_checkpoint_of_fewer_classes_gets_rows_of_0(pixels: torch.Tensor) -> None:
    known, _ = run(pixels, Config(), weights())
    more = expand_classes(known, with_classes(12), (28, 28))
    before, after = state_dict(known), state_dict(more)
    assert list(before) == list(after)
    for name, array in after.items():
        if ".classifier." in name and array.ndim:
            assert len(array) == 12
            assert not array[10:].any()
            array = array[:10]
        assert np.array_equal(array, before[name]), name
    assert expand_classes(more, with_classes(12), (28, 28)) is more
    list(train(more, pixels, PseudoLabels(np.full(1_300, 11), np.ones(1_300, np.float32)), with_classes(12), epoch=2))
    assert state_dict(more)["network.classifier.weight"][11].any()


@pytest.mark.parametrize("name", ["network.classifier.weight", "network.classifier.bias", "network.encoder.0.weight"])
def test_nothing_else_may_have_fewer_rows(pixels: torch.Tensor, name: str) -> None:
    arrays = state_dict(run(pixels, Config(), weights())[0])
    arrays[name] = arrays[name][:-1]
    made = create_train_state(with_classes(12), (28, 28))
    before = bits(made)
    with pytest.raises(UserError, match="does not fit"):
        load_state_dict(made, arrays)
    assert bits(made) == before


def test_a_checkpoint_of_more_classes_is_refused(pixels: torch.Tensor) -> None:
    with pytest.raises(UserError, match="does not fit"):
        load_state_dict(
            create_train_state(Config(), (28, 28)), state_dict(create_train_state(with_classes(11), (28, 28)))
        )


def test_a_device_that_is_not_there_is_told() -> None:
    assert find_device("auto").type in ("cpu", "cuda", "mps")
    if not torch.backends.mps.is_available():
        with pytest.raises(UserError, match="The device mps is not to be had here; resume with"):
            find_device("mps")

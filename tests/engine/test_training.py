"""Tests of the training loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.engine.trained_states import (
    CONFIG,
    IMAGE_COUNT,
    NETWORK,
    load_digits,
    random_labels,
    to_bits,
    train_new_state,
)
from tests.idx import MNIST_DIRECTORY
from tests.simulated_accelerator import DEVICE, simulate_accelerator
from vaetui.engine import losses, train_state
from vaetui.engine.device_inputs import DeviceImages
from vaetui.engine.devices import compute_with
from vaetui.engine.distributed import SINGLE, World
from vaetui.engine.events import BatchesTrained
from vaetui.engine.images import images_from_array, read_idx_array
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.recipes import get_recipe
from vaetui.engine.train_state import TrainState, create_train_state, load_checkpoint_arrays, to_checkpoint_arrays
from vaetui.engine.training import train_epoch
from vaetui.errors import UserError


@pytest.fixture(scope="module")
def images() -> DeviceImages:
    return load_digits()


@pytest.fixture(scope="module")
def supervised(images: DeviceImages) -> tuple[TrainState, list[BatchesTrained]]:
    return train_new_state(images, CONFIG, random_labels())


@pytest.fixture(scope="module")
def unsupervised(images: DeviceImages) -> tuple[TrainState, list[BatchesTrained]]:
    return train_new_state(images)


def test_same_seed_gives_the_same_bits(
    images: DeviceImages, supervised: tuple[TrainState, list[BatchesTrained]]
) -> None:
    assert to_bits(supervised[0]) == to_bits(train_new_state(images, CONFIG, random_labels())[0])
    assert to_bits(supervised[0]) != to_bits(train_new_state(images, replace(CONFIG, seed=1), random_labels())[0])


def test_training_resumed_from_a_checkpoint_gives_the_bits_of_an_uninterrupted_run(
    images: DeviceImages, supervised: tuple[TrainState, list[BatchesTrained]]
) -> None:
    uninterrupted, reports = supervised
    assert [report.step for report in reports] == [8, 16, 21]
    stopped = create_train_state(CONFIG, (28, 28))
    step = next(train_epoch(stopped, images, random_labels(), CONFIG, epoch=1)).step
    resumed = create_train_state(CONFIG, (28, 28))
    load_checkpoint_arrays(resumed, to_checkpoint_arrays(stopped))
    later_reports = list(train_epoch(resumed, images, random_labels(), CONFIG, epoch=1, start_step=step))
    assert to_bits(resumed) == to_bits(uninterrupted)
    assert [report.losses for report in later_reports] == [report.losses for report in reports[1:]]


def test_epoch_over_a_part_of_the_images_continues_with_the_same_bits(images: DeviceImages) -> None:
    config = replace(CONFIG, training=replace(CONFIG.training, max_epoch_images=IMAGE_COUNT // 2))
    uninterrupted, reports = train_new_state(images, config, random_labels())
    assert reports[-1].step == reports[-1].steps_per_epoch == 11, "half of the images take half of the batches"
    stopped = create_train_state(config, (28, 28))
    step = next(train_epoch(stopped, images, random_labels(), config, epoch=1)).step
    list(train_epoch(stopped, images, random_labels(), config, epoch=1, start_step=step))
    assert to_bits(stopped) == to_bits(uninterrupted)


def test_training_lowers_the_loss(unsupervised: tuple[TrainState, list[BatchesTrained]]) -> None:
    _, reports = unsupervised
    assert reports[-1].losses.reconstruction < 0.6 * reports[0].losses.reconstruction


def test_unsupervised_epoch_leaves_the_classifier_unchanged(
    unsupervised: tuple[TrainState, list[BatchesTrained]],
) -> None:
    state, reports = unsupervised
    untrained = create_train_state(CONFIG, (28, 28))
    assert torch.equal(state.vae.classifier.weight, untrained.vae.classifier.weight)
    assert all(report.losses.classification == 0 for report in reports)


def test_correct_labels_teach_the_classifier(images: DeviceImages) -> None:
    class_ids = read_idx_array(MNIST_DIRECTORY / "t10k-labels-idx1-ubyte.gz", 1)[:IMAGE_COUNT].astype(np.int64)
    state = create_train_state(CONFIG, (28, 28))
    pseudo_labels = PseudoLabels(class_ids, np.full(IMAGE_COUNT, 0.7, np.float32))
    for epoch in (1, 2, 3):
        list(train_epoch(state, images, pseudo_labels, CONFIG, epoch))
    with torch.no_grad():
        hidden, mean, *_ = state.vae.encode(images.load(slice(None)))
        accuracy = (state.vae.classify(hidden, mean).argmax(dim=1).numpy() == class_ids).mean()
    assert accuracy > 0.6


def test_classifying_the_mean_differs_from_classifying_a_sample(
    images: DeviceImages, supervised: tuple[TrainState, list[BatchesTrained]]
) -> None:
    config = replace(CONFIG, network=replace(NETWORK, latent="mean"))
    assert to_bits(train_new_state(images, config, random_labels())[0]) != to_bits(supervised[0])


def test_default_recipe_trains_all_terms_and_schedules_the_learning_rate(images: DeviceImages) -> None:
    recipe = get_recipe("propagation")
    training = replace(recipe.training, batch_size=64, min_batches=1, warmup_epochs=1)
    network = replace(recipe.network, channels=(4, 8), hidden_units=16)
    loss = replace(recipe.loss, consistency_threshold=0.0)
    config = replace(recipe, network=network, training=training, loss=loss)
    state, reports = train_new_state(images, config, random_labels())
    assert min(reports[-1].losses) > 0
    final_lr = state.optimiser.param_groups[0]["lr"]
    assert final_lr == pytest.approx(recipe.training.learning_rate * 0.02 * 21 / 50), "warm-up was not complete"


def test_learning_rate_declines_once_before_the_first_round_and_once_after_each(images: DeviceImages) -> None:
    recipe = get_recipe("thorough")
    training = replace(recipe.training, batch_size=8, min_batches=1, warmup_epochs=2, epochs_per_round=2)
    network = replace(recipe.network, channels=(4, 8), hidden_units=16)
    config = replace(recipe, network=network, training=training)
    state = create_train_state(config, (28, 28))
    final_rates = []
    for epoch in range(1, 7):
        list(train_epoch(state, images, None if epoch <= 2 else random_labels(), config, epoch))
        final_rates.append(state.optimiser.param_groups[0]["lr"] / training.learning_rate)
    assert final_rates == pytest.approx([0.51, 0.02] * 3)


def test_cluster_heads_learn_before_the_first_round_only(images: DeviceImages) -> None:
    recipe = get_recipe("thorough")
    training = replace(recipe.training, batch_size=64, min_batches=1, warmup_epochs=3)
    network = replace(recipe.network, channels=(8, 16), hidden_units=32)
    config = replace(recipe, network=network, training=training)
    clustering_losses = []
    for weight in (0.0, recipe.loss.clustering_weight):
        changed = replace(config, loss=replace(config.loss, clustering_weight=weight))
        state = create_train_state(changed, (28, 28))
        for epoch in (1, 2, 3):
            list(train_epoch(state, images, None, changed, epoch))
        with torch.no_grad():
            hidden = state.vae.eval().encode(images.load(slice(None))).hidden
            assignments = state.vae.assign_clusters(hidden)  # [N, heads, K]
        assert assignments.shape == (IMAGE_COUNT, 3, 20)
        joint = torch.einsum("bhk,bhl->hkl", assignments, assignments) / IMAGE_COUNT
        clustering_losses.append(losses.clustering(joint).item())
    assert clustering_losses[1] < 2 * clustering_losses[0] < 0
    weights = state.vae.cluster_heads.weight.detach().clone()
    list(train_epoch(state, images, random_labels(), config, 4))
    assert torch.equal(state.vae.cluster_heads.weight, weights)


def test_reported_losses_are_the_terms_of_the_total_and_0_where_unused(
    images: DeviceImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: dict[str, list[float]] = {"nt_xent": [], "consistency": []}
    for name, values in computed.items():
        function = getattr(losses, name)

        def record(*args: object, function: Callable[..., Tensor] = function, values: list[float] = values) -> Tensor:
            term = function(*args)
            values.append(term.item())
            return term

        monkeypatch.setattr(losses, name, record)
    loss = replace(CONFIG.loss, contrastive_weight=2.0, consistency_weight=3.0, consistency_threshold=0.0)
    config = replace(CONFIG, loss=loss, augmentation=replace(CONFIG.augmentation, rotate=10.0))
    state = create_train_state(config, (28, 28))
    report = next(train_epoch(state, images, random_labels(), config, epoch=1))
    assert report.losses.contrastive == pytest.approx(np.mean(computed["nt_xent"]), rel=1e-5)
    assert report.losses.consistency == pytest.approx(np.mean(computed["consistency"]), rel=1e-5)
    without_labels = next(train_epoch(state, images, None, config, epoch=2)).losses
    assert without_labels.contrastive > 0
    assert without_labels.classification == without_labels.consistency == 0
    one_view = next(train_epoch(state, images, random_labels(), CONFIG, epoch=2)).losses
    assert one_view.contrastive == one_view.consistency == 0


def test_one_of_three_images_of_a_batch_is_reconstructed(images: DeviceImages, monkeypatch: pytest.MonkeyPatch) -> None:
    measure, counts, values = losses.reconstruction, list[int](), list[float]()

    def record(logits: Tensor, targets: Tensor) -> Tensor:
        term = measure(logits, targets)
        counts.append(len(targets))
        values.append(term.item())
        return term

    monkeypatch.setattr(losses, "reconstruction", record)
    config = replace(CONFIG, loss=replace(CONFIG.loss, reconstruct_every=3))
    report = next(train_epoch(create_train_state(config, (28, 28)), images, None, config, epoch=1))
    assert counts == [-(-config.training.batch_size // 3)] * report.step
    assert report.losses.reconstruction == pytest.approx(np.mean(values), rel=1e-5)


@pytest.mark.parametrize("latent", ["sample", "mean"])
@pytest.mark.parametrize("classifier_input", ["latent", "hidden"])
@pytest.mark.parametrize("rotate", [0.0, 10.0], ids=["one view", "two views"])
def test_every_kind_of_classifier_trains_with_and_without_a_second_view(
    images: DeviceImages,
    latent: Literal["sample", "mean"],
    classifier_input: Literal["latent", "hidden"],
    rotate: float,
) -> None:
    network = replace(NETWORK, latent=latent, classifier_input=classifier_input)
    config = replace(CONFIG, network=network, augmentation=replace(CONFIG.augmentation, rotate=rotate))
    state = create_train_state(config, (28, 28))
    assert next(train_epoch(state, images, random_labels(), config, epoch=1)).losses.classification > 0


def test_loss_that_becomes_nan_raises_user_error(images: DeviceImages) -> None:
    config = replace(CONFIG, loss=replace(CONFIG.loss, beta=float("nan")))
    with pytest.raises(UserError, match="The loss became NaN or infinite in epoch 1"):
        train_new_state(images, config)


@pytest.mark.parametrize("name", ["propagation", "paper", "photos"])
def test_training_with_bfloat16_keeps_losses_and_statistics_in_float32(images: DeviceImages, name: str) -> None:
    recipe = get_recipe(name)
    exact = replace(recipe, training=replace(recipe.training, batch_size=128, min_batches=1))
    mixed = replace(exact, precision="bfloat16")
    state, reports = train_new_state(images, mixed, random_labels())
    exact_state, exact_reports = train_new_state(images, exact, random_labels())
    assert to_bits(state) == to_bits(train_new_state(images, mixed, random_labels())[0])
    assert to_bits(state) != to_bits(exact_state)
    assert all(
        tensor.dtype == torch.float32 for tensor in state.vae.state_dict().values() if tensor.is_floating_point()
    )
    assert np.allclose(reports[-1].losses, exact_reports[-1].losses, rtol=0.05, atol=0.1)
    with compute_with("bfloat16", torch.device("cpu")):
        encoding = state.vae.eval().encode(images.load(slice(0, 8)))
    assert encoding.mean.dtype == encoding.std.dtype == torch.float32
    if encoding.components is not None:
        assert torch.equal(encoding.components, state.vae.encode(images.load(slice(0, 8))).components)


@pytest.mark.parametrize(("name", "transfers_per_step"), [("propagation", 3), ("paper", 2), ("photos", 7)])
def test_an_accelerator_is_waited_for_once_per_report(
    images: DeviceImages, monkeypatch: pytest.MonkeyPatch, name: str, transfers_per_step: int
) -> None:
    monkeypatch.setattr(train_state, "select_device", lambda _: DEVICE)
    recipe = get_recipe(name)
    config = replace(recipe, training=replace(recipe.training, batch_size=64, min_batches=1))
    with simulate_accelerator(has_float64=False) as accelerator:
        pixels = read_idx_array(MNIST_DIRECTORY / "t10k-images-idx3-ubyte.gz", 3)[:IMAGE_COUNT]
        shape = (28, 28)
        if name == "photos":
            pixels, shape = np.stack([pixels] * 3, axis=-1), (28, 28, 3)
        state = create_train_state(config, shape)
        on_device = DeviceImages(images_from_array(pixels), DEVICE)
        accelerator.reset()
        reports = list(train_epoch(state, on_device, random_labels(), config, epoch=1))
        assert len(reports) == 3
        assert sum(accelerator.waits.values()) == len(reports)
        assert accelerator.transfers <= 21 * transfers_per_step + 1  # and what is the same for all batches


class EqualRanks(World):
    """Three ranks that all compute the same, as this process sees them."""

    __slots__ = ()

    def sum(self, values: Tensor) -> Tensor:
        return self.size * values

    def gather_rows(self, rows: Tensor, start: int, total: int) -> Tensor:
        return rows.repeat(self.size, *[1] * (rows.dim() - 1))

    def wrap(self, module: nn.Module) -> nn.Module:
        return module


@pytest.mark.parametrize("recipe", ["paper", "propagation"])
def test_batch_with_fewer_images_than_ranks_counts_once_in_the_running_statistics(
    images: DeviceImages, recipe: str
) -> None:
    config = get_recipe(recipe)
    network = replace(config.network, channels=(2, 4), decoder_channels=None, hidden_units=8, batch_norm=True)
    training = replace(config.training, batch_size=2, min_batches=1, max_epoch_images=8)
    config = replace(config, network=network, training=training)
    statistics = []
    for world in (SINGLE, EqualRanks(size=3)):
        state = create_train_state(config, (28, 28))
        list(train_epoch(state, images, None, config, 1, world=world))
        arrays = to_checkpoint_arrays(state)
        statistics.append({name: array for name, array in arrays.items() if "running" in name})
    assert any("running_var" in name for name in statistics[0])
    for name, array in statistics[0].items():
        np.testing.assert_array_equal(statistics[1][name], array, err_msg=name)

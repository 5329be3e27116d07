"""The loop: a generator of events that trains the networks for one epoch; it does not know rounds or files."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vaetui.engine import losses, rng
from vaetui.engine.augmentation import augment
from vaetui.engine.config import Config, TrainingConfig, count_passes
from vaetui.engine.dataset import Dataset
from vaetui.engine.events import BatchesTrained, Losses
from vaetui.engine.inference import draw_noise
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.vae import VAE, build_vae, to_float_images
from vaetui.errors import UserError

BATCHES_PER_REPORT = 8
"""Batches between two reports: about a fifth of a second on two cores, and one synchronisation on a GPU."""
MISMATCH_MESSAGE = "The checkpoint does not fit the networks of the session (at {})."
LR_WARMUP_BATCHES = 50
"""Batches in which a declining rate first rises to its full value."""
MIN_LR_FRACTION = 0.02
"""The share of it that it falls to."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainState:
    """The networks, the optimiser that trains them and the device that they are on."""

    vae: VAE
    """The networks."""
    optimiser: torch.optim.Adam
    """Its state goes on from round to round."""
    device: torch.device
    """Where both are."""


def create_train_state(config: Config, shape: tuple[int, ...]) -> TrainState:
    """Make networks for images of `shape`, as the seed begins them, and their optimiser.

    Raises Trouble for a device that is not there.
    """
    device = find_device(config.device)
    vae = build_vae(config.network, shape, rng.derive_seed(config.seed, "network")).to(device)
    fused = device.type in ("cpu", "cuda")
    return TrainState(vae, torch.optim.Adam(vae.parameters(), config.training.learning_rate, fused=fused), device)


def find_device(name: str) -> torch.device:
    """Turn auto, cpu, cuda or mps into a device that is there, else raise Trouble."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind, found in there.items() if found)
    if not there.get(name, False):
        found = ", ".join(kind for kind, is_there in there.items() if is_there)
        raise UserError(f"The device {name} is not to be had here; resume with --device and one of: auto, {found}.")
    if name == "cuda":
        torch.backends.cudnn.deterministic = True  # the same seed gives the same bits
    return torch.device(name)


def state_dict(state: TrainState) -> dict[str, NDArray[np.float32]]:
    """Flatten networks and optimiser into named arrays: all that the next step depends on."""
    arrays = {}
    for name, parameter in state.vae.named_parameters():
        arrays[f"network.{name}"] = parameter.detach()
        for key, value in state.optimiser.state.get(parameter, {}).items():
            arrays[f"optimiser.{key}.{name}"] = value
    arrays |= {f"running.{name}": buffer for name, buffer in _running_statistics(state.vae).items()}
    return {name: np.array(tensor.cpu().numpy(), order="C") for name, tensor in arrays.items()}


def max_checkpoint_bytes(state: TrainState) -> int:
    """Tell how many bytes a file of what `snapshot` gives may have, with its head."""
    parameters = [*state.vae.parameters(), *_running_statistics(state.vae).values()]
    return 16 * sum(parameter.numel() for parameter in parameters) + 4_096 * (1 + len(parameters))


def expand_classes(state: TrainState, config: Config, shape: tuple[int, ...]) -> TrainState:
    """Give networks for as many classes as the configuration has, at least those that are known.

    All else they know too; of a class that is new to them nothing, which is a logit of 0.
    """
    if state.vae.classifier.out_features == config.network.classes:
        return state
    made = create_train_state(config, shape)
    load_state_dict(made, state_dict(state))
    return made


@torch.no_grad()
def load_state_dict(state: TrainState, arrays: dict[str, NDArray[np.float32]]) -> None:
    """Put back what `snapshot` flattened; a classifier that knew fewer classes gets rows of 0 for the others.

    Raises Trouble, before anything is changed, where names or shapes do not fit the networks otherwise.
    """
    arrays = _pad_classes(arrays, state.vae.classifier.out_features)
    parameters = dict(state.vae.named_parameters())
    moments = {name: _get_moments(arrays, name) for name in parameters}
    for name, parameter in parameters.items():
        shape = tuple(parameter.shape)
        found = [arrays[f"network.{name}"].shape if f"network.{name}" in arrays else None]
        found += [array.shape for key, array in moments[name].items() if key != "step"]
        if any(each != shape for each in found) or (moments[name] and moments[name]["step"].shape):
            raise UserError(MISMATCH_MESSAGE.format(name))
    running = _running_statistics(state.vae)
    for name, buffer in running.items():
        if f"running.{name}" not in arrays or arrays[f"running.{name}"].shape != tuple(buffer.shape):
            raise UserError(MISMATCH_MESSAGE.format(name))
    for name, buffer in running.items():
        buffer.copy_(torch.from_numpy(arrays[f"running.{name}"]))
    # The optimiser keeps its moments in the memory format of the parameter, as it makes them itself, and its count
    # of steps beside the parameter where it is fused.
    fused = state.optimiser.defaults["fused"]
    for name, parameter in parameters.items():
        parameter.copy_(torch.from_numpy(arrays[f"network.{name}"]))
        beside = parameter.device if fused else torch.device("cpu")
        state.optimiser.state[parameter] = {
            key: torch.tensor(array, device=beside)
            if key == "step"
            else torch.empty_like(parameter).copy_(torch.from_numpy(array))
            for key, array in moments[name].items()
        }


def _pad_classes(arrays: dict[str, NDArray[np.float32]], class_count: int) -> dict[str, NDArray[np.float32]]:
    """Give the classifier's weights, and what the optimiser knows of them, a row for each of so many classes."""
    weight = arrays.get("network.classifier.weight")
    known = class_count if weight is None or not weight.ndim else len(weight)

    def pad_rows(name: str, array: NDArray[np.float32]) -> NDArray[np.float32]:
        if ".classifier." not in name or not array.ndim or len(array) != known:
            return array
        return np.concatenate([array, np.zeros((class_count - known, *array.shape[1:]), np.float32)])

    return {name: pad_rows(name, array) for name, array in arrays.items()} if known < class_count else arrays


def _running_statistics(vae: VAE) -> dict[str, Tensor]:
    """Give the means and variances that a normalisation keeps of what it has seen."""
    return {name: buffer for name, buffer in vae.named_buffers() if buffer.is_floating_point()}


def _get_moments(arrays: dict[str, NDArray[np.float32]], name: str) -> dict[str, NDArray[np.float32]]:
    """Give what the optimiser knows of a parameter: all, or nothing of one that was not trained so far."""
    names = {key: f"optimiser.{key}.{name}" for key in ("step", "exp_avg", "exp_avg_sq")}
    known = {key: arrays[full] for key, full in names.items() if full in arrays}
    if known and len(known) < len(names):
        raise UserError(f"The checkpoint holds only a part of the optimiser (at {name}).")
    return known


def train(
    state: TrainState,
    images: Dataset,
    pseudo_labels: PseudoLabels | None,
    config: Config,
    epoch: int,
    start_step: int = 0,
) -> Iterator[BatchesTrained]:
    """Train for the rest of one epoch from batch `start` on, and report every few batches.

    `images` are all training images, on the device; `weights` what the answers say of them, or None for an
    unsupervised epoch (eq. 1 alone). Between two reports nothing is kept outside the learner: not
    consuming is stopping. Order and noise follow from seed, epoch and batch. Raises Trouble when the loss is no
    finite number any more.
    """
    draw = rng.derive_generator(config.seed, "order", epoch)
    orders = [draw.permutation(len(images)) for _ in range(count_passes(config.training, len(images)))]
    batches = torch.split(torch.from_numpy(np.concatenate(orders)), config.training.batch_size)
    labels, shares = _targets_to_device(pseudo_labels, state.device)
    sums = torch.zeros(3, device=state.device)
    since, trained, begun = start_step, 0, perf_counter()
    for step, batch in enumerate(batches[start_step:], start=start_step + 1):
        batch = batch.to(state.device)
        targets = None if labels is None or shares is None else (labels[batch], shares[batch])
        _set_learning_rate(state, config.training, step, len(batches))
        sums += _train_step(state, to_float_images(images[batch]), targets, config, epoch, step)
        trained += len(batch)
        if step % BATCHES_PER_REPORT == 0 or step == len(batches):
            losses = Losses(*(sums / (step - since)).tolist())
            if not all(map(math.isfinite, losses)):
                raise UserError(
                    f"The loss is no number any more in epoch {epoch}; begin anew with a smaller --beta or --gamma."
                )
            seconds = perf_counter() - begun
            yield BatchesTrained(epoch, step, len(batches), losses, trained / seconds, seconds)
            sums.zero_()
            since, trained, begun = step, 0, perf_counter()


def _train_step(
    state: TrainState, images: Tensor, targets: tuple[Tensor, Tensor] | None, config: Config, epoch: int, step: int
) -> Tensor:
    """Take one step of Adam down the loss of a batch [B, 1, H, W], and give its parts, [3]."""
    vae, count = state.vae.train(), len(images)
    views = (
        torch.cat([images, augment(images, config.augmentation, config.seed, epoch, step)])
        if config.augmentation.is_enabled
        else images
    )
    hidden, means, deviations = vae.encode(views)
    mean, deviation = means[:count], deviations[:count]  # only plain images are reconstructed
    latents = mean + deviation * draw_noise(config, mean, "training", epoch, step)  # [B, z_dim]
    reconstruction = losses.reconstruction(vae.decode(latents), images)
    divergence = losses.kl_divergence(mean, deviation)
    total = reconstruction + config.loss.beta * divergence  # eq. 1
    if config.loss.contrastive_weight and config.augmentation.is_enabled:
        total = total + config.loss.contrastive_weight * losses.nt_xent(means, config.loss.temperature)
    classification = torch.zeros_like(divergence)
    if targets is not None:
        logits = vae.classify(hidden, latents if config.network.latent == "sample" else means)
        classification = losses.classification(logits, *(torch.cat([each] * (len(views) // count)) for each in targets))
        total = total + config.loss.gamma * classification  # eq. 3
        if config.loss.consistency_weight and config.augmentation.is_enabled:
            total = total + config.loss.consistency_weight * losses.consistency(
                logits, config.loss.consistency_threshold
            )
    state.optimiser.zero_grad()
    total.backward()  # type: ignore[no-untyped-call]
    state.optimiser.step()
    return torch.stack([reconstruction, divergence, classification]).detach()


def _set_learning_rate(state: TrainState, config: TrainingConfig, step: int, steps_per_epoch: int) -> None:
    """Let the rate rise over the first batches of an epoch and fall to its end, where the recipe says so.

    Each epoch by itself: rounds can be added later, and what is asked after an epoch is asked of settled networks.
    """
    if config.lr_schedule == "cosine":
        falling = MIN_LR_FRACTION + (1 - MIN_LR_FRACTION) * (1 + math.cos(math.pi * step / steps_per_epoch)) / 2
        for group in state.optimiser.param_groups:
            group["lr"] = config.learning_rate * falling * min(1.0, step / LR_WARMUP_BATCHES)


def _targets_to_device(pseudo_labels: PseudoLabels | None, device: torch.device) -> tuple[Tensor | None, Tensor | None]:
    if pseudo_labels is None:
        return None, None
    return torch.from_numpy(pseudo_labels.class_ids).to(device), torch.from_numpy(pseudo_labels.weights).to(device)

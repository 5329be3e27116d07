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
from vaetui.engine.augmentation import warp
from vaetui.engine.config import Config, TrainingConfig, passes
from vaetui.engine.dataset import Dataset
from vaetui.engine.events import Losses, Stepped
from vaetui.engine.inference import noise
from vaetui.engine.pseudo_labels import Weights
from vaetui.engine.vae import Vae, build, scale
from vaetui.errors import Trouble

REPORT = 8
"""Batches between two reports: about a fifth of a second on two cores, and one synchronisation on a GPU."""
MISFIT = "The checkpoint does not fit the networks of the session (at {})."
RISE = 50
"""Batches in which a declining rate first rises to its full value."""
FLOOR = 0.02
"""The share of it that it falls to."""


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """The networks, the optimiser that trains them and the device that they are on."""

    vae: Vae
    """The networks."""
    optimiser: torch.optim.Adam
    """Its state goes on from round to round."""
    device: torch.device
    """Where both are."""


def learner(config: Config, shape: tuple[int, ...]) -> Learner:
    """Make networks for images of `shape`, as the seed begins them, and their optimiser.

    Raises Trouble for a device that is not there.
    """
    device = find_device(config.device)
    vae = build(config.network, shape, rng.integer(config.seed, "network")).to(device)
    fused = device.type in ("cpu", "cuda")
    return Learner(vae, torch.optim.Adam(vae.parameters(), config.training.rate, fused=fused), device)


def find_device(name: str) -> torch.device:
    """Turn auto, cpu, cuda or mps into a device that is there, else raise Trouble."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind, found in there.items() if found)
    if not there.get(name, False):
        found = ", ".join(kind for kind, is_there in there.items() if is_there)
        raise Trouble(f"The device {name} is not to be had here; resume with --device and one of: auto, {found}.")
    if name == "cuda":
        torch.backends.cudnn.deterministic = True  # the same seed gives the same bits
    return torch.device(name)


def snapshot(learner: Learner) -> dict[str, NDArray[np.float32]]:
    """Flatten networks and optimiser into named arrays: all that the next step depends on."""
    arrays = {}
    for name, parameter in learner.vae.named_parameters():
        arrays[f"network.{name}"] = parameter.detach()
        for key, value in learner.optimiser.state.get(parameter, {}).items():
            arrays[f"optimiser.{key}.{name}"] = value
    arrays |= {f"running.{name}": buffer for name, buffer in _running(learner.vae).items()}
    return {name: np.array(tensor.cpu().numpy(), order="C") for name, tensor in arrays.items()}


def size(learner: Learner) -> int:
    """Tell how many bytes a file of what `snapshot` gives may have, with its head."""
    parameters = [*learner.vae.parameters(), *_running(learner.vae).values()]
    return 16 * sum(parameter.numel() for parameter in parameters) + 4_096 * (1 + len(parameters))


def grown(known: Learner, config: Config, shape: tuple[int, ...]) -> Learner:
    """Give networks for as many classes as the configuration has, at least those that are known.

    All else they know too; of a class that is new to them nothing, which is a logit of 0.
    """
    if known.vae.classifier.out_features == config.network.classes:
        return known
    made = learner(config, shape)
    restore(made, snapshot(known))
    return made


@torch.no_grad()
def restore(learner: Learner, arrays: dict[str, NDArray[np.float32]]) -> None:
    """Put back what `snapshot` flattened; a classifier that knew fewer classes gets rows of 0 for the others.

    Raises Trouble, before anything is changed, where names or shapes do not fit the networks otherwise.
    """
    arrays = _widened(arrays, learner.vae.classifier.out_features)
    parameters = dict(learner.vae.named_parameters())
    moments = {name: _moments(arrays, name) for name in parameters}
    for name, parameter in parameters.items():
        shape = tuple(parameter.shape)
        found = [arrays[f"network.{name}"].shape if f"network.{name}" in arrays else None]
        found += [array.shape for key, array in moments[name].items() if key != "step"]
        if any(each != shape for each in found) or (moments[name] and moments[name]["step"].shape):
            raise Trouble(MISFIT.format(name))
    running = _running(learner.vae)
    for name, buffer in running.items():
        if f"running.{name}" not in arrays or arrays[f"running.{name}"].shape != tuple(buffer.shape):
            raise Trouble(MISFIT.format(name))
    for name, buffer in running.items():
        buffer.copy_(torch.from_numpy(arrays[f"running.{name}"]))
    # The optimiser keeps its moments in the memory format of the parameter, as it makes them itself, and its count
    # of steps beside the parameter where it is fused.
    fused = learner.optimiser.defaults["fused"]
    for name, parameter in parameters.items():
        parameter.copy_(torch.from_numpy(arrays[f"network.{name}"]))
        beside = parameter.device if fused else torch.device("cpu")
        learner.optimiser.state[parameter] = {
            key: torch.tensor(array, device=beside)
            if key == "step"
            else torch.empty_like(parameter).copy_(torch.from_numpy(array))
            for key, array in moments[name].items()
        }


def _widened(arrays: dict[str, NDArray[np.float32]], classes: int) -> dict[str, NDArray[np.float32]]:
    """Give the classifier's weights, and what the optimiser knows of them, a row for each of so many classes."""
    weight = arrays.get("network.classifier.weight")
    known = classes if weight is None or not weight.ndim else len(weight)

    def rows(name: str, array: NDArray[np.float32]) -> NDArray[np.float32]:
        if ".classifier." not in name or not array.ndim or len(array) != known:
            return array
        return np.concatenate([array, np.zeros((classes - known, *array.shape[1:]), np.float32)])

    return {name: rows(name, array) for name, array in arrays.items()} if known < classes else arrays


def _running(vae: Vae) -> dict[str, Tensor]:
    """Give the means and variances that a normalisation keeps of what it has seen."""
    return {name: buffer for name, buffer in vae.named_buffers() if buffer.is_floating_point()}


def _moments(arrays: dict[str, NDArray[np.float32]], name: str) -> dict[str, NDArray[np.float32]]:
    """Give what the optimiser knows of a parameter: all, or nothing of one that was not trained so far."""
    names = {key: f"optimiser.{key}.{name}" for key in ("step", "exp_avg", "exp_avg_sq")}
    known = {key: arrays[full] for key, full in names.items() if full in arrays}
    if known and len(known) < len(names):
        raise Trouble(f"The checkpoint holds only a part of the optimiser (at {name}).")
    return known


def train(
    learner: Learner, images: Dataset, weights: Weights | None, config: Config, epoch: int, start: int = 0
) -> Iterator[Stepped]:
    """Train for the rest of one epoch from batch `start` on, and report every few batches.

    `images` are all training images, on the device; `weights` what the answers say of them, or None for an
    unsupervised epoch (eq. 1 alone). Between two reports nothing is kept outside the learner: not
    consuming is stopping. Order and noise follow from seed, epoch and batch. Raises Trouble when the loss is no
    finite number any more.
    """
    draw = rng.generator(config.seed, "order", epoch)
    orders = [draw.permutation(len(images)) for _ in range(passes(config.training, len(images)))]
    batches = torch.split(torch.from_numpy(np.concatenate(orders)), config.training.batch)
    labels, shares = _targets(weights, learner.device)
    sums = torch.zeros(3, device=learner.device)
    since, trained, begun = start, 0, perf_counter()
    for step, batch in enumerate(batches[start:], start=start + 1):
        batch = batch.to(learner.device)
        targets = None if labels is None or shares is None else (labels[batch], shares[batch])
        _set_rate(learner, config.training, step, len(batches))
        sums += _step(learner, scale(images[batch]), targets, config, epoch, step)
        trained += len(batch)
        if step % REPORT == 0 or step == len(batches):
            losses = Losses(*(sums / (step - since)).tolist())
            if not all(map(math.isfinite, losses)):
                raise Trouble(
                    f"The loss is no number any more in epoch {epoch}; begin anew with a smaller --beta or --gamma."
                )
            seconds = perf_counter() - begun
            yield Stepped(epoch, step, len(batches), losses, trained / seconds, seconds)
            sums.zero_()
            since, trained, begun = step, 0, perf_counter()


def _step(
    learner: Learner, images: Tensor, targets: tuple[Tensor, Tensor] | None, config: Config, epoch: int, step: int
) -> Tensor:
    """Take one step of Adam down the loss of a batch [B, 1, H, W], and give its parts, [3]."""
    vae, count = learner.vae.train(), len(images)
    views = torch.cat([images, warp(images, config.warp, config.seed, epoch, step)]) if config.warp.any else images
    hidden, means, deviations = vae.infer(views)
    mean, deviation = means[:count], deviations[:count]  # only plain images are reconstructed
    latents = mean + deviation * noise(config, mean, "training", epoch, step)  # [B, z_dim]
    reconstruction = losses.reconstruction(vae.generate(latents), images)
    divergence = losses.divergence(mean, deviation)
    total = reconstruction + config.loss.beta * divergence  # eq. 1
    if config.loss.contrast and config.warp.any:
        total = total + config.loss.contrast * losses.contrast(means, config.loss.temperature)
    classification = torch.zeros_like(divergence)
    if targets is not None:
        logits = vae.classify(hidden, latents if config.network.used == "sample" else means)
        classification = losses.classification(logits, *(torch.cat([each] * (len(views) // count)) for each in targets))
        total = total + config.loss.gamma * classification  # eq. 3
        if config.loss.consistency and config.warp.any:
            total = total + config.loss.consistency * losses.consistency(logits, config.loss.sure)
    learner.optimiser.zero_grad()
    total.backward()  # type: ignore[no-untyped-call]
    learner.optimiser.step()
    return torch.stack([reconstruction, divergence, classification]).detach()


def _set_rate(learner: Learner, training: TrainingConfig, step: int, steps: int) -> None:
    """Let the rate rise over the first batches of an epoch and fall to its end, where the recipe says so.

    Each epoch by itself: rounds can be added later, and what is asked after an epoch is asked of settled networks.
    """
    if training.decline == "cosine":
        falling = FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * step / steps)) / 2
        for group in learner.optimiser.param_groups:
            group["lr"] = training.rate * falling * min(1.0, step / RISE)


def _targets(weights: Weights | None, device: torch.device) -> tuple[Tensor | None, Tensor | None]:
    if weights is None:
        return None, None
    return torch.from_numpy(weights.labels).to(device), torch.from_numpy(weights.weights).to(device)

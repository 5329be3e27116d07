"""The training loop: a generator that trains the networks for one epoch and yields reports."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from time import perf_counter

import torch
from torch import Tensor

from vaetui.engine import losses
from vaetui.engine.augmentation import augment
from vaetui.engine.config import BATCHES_PER_REPORT, Config, TrainingConfig
from vaetui.engine.device_inputs import DeviceImages, DeviceInputs
from vaetui.engine.epoch_batches import draw_batches
from vaetui.engine.events import BatchesTrained, Losses
from vaetui.engine.inference import draw_normal_noise
from vaetui.engine.networks import Networks
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.train_state import TrainState
from vaetui.engine.vector_augmentation import augment_vectors
from vaetui.engine.vector_vae import VectorVAE
from vaetui.errors import UserError

LR_WARMUP_BATCHES = 50
"""Batches over which a cosine schedule first raises the learning rate linearly."""
MIN_LR_FRACTION = 0.02
"""Share of the learning rate at the end of a cosine schedule."""


def train_epoch(
    state: TrainState,
    inputs: DeviceInputs,
    pseudo_labels: PseudoLabels | None,
    config: Config,
    epoch: int,
    start_step: int = 0,
    images: DeviceImages | None = None,
) -> Iterator[BatchesTrained]:
    """Train for the rest of one epoch after `start_step` batches, and yield a report every few batches.

    `inputs` are all training images, or their vectors, on the device of `state`; `pseudo_labels` is None for an
    unsupervised epoch (eq. 1 alone). `images` are needed for an image decoder of vectors. `state` contains all progress
    at every report, so the caller may stop there. The order of the inputs and the noise depend only on seed, epoch and
    batch. Raises UserError if the loss becomes NaN or infinite.
    """
    batches = draw_batches(config, len(inputs), epoch)
    arrays = () if pseudo_labels is None else (pseudo_labels.class_ids, pseudo_labels.weights)
    targets = [torch.from_numpy(array).to(state.device) for array in arrays]
    loss_sums = torch.zeros(len(Losses._fields), device=state.device)
    reported_step, image_count, started_at = start_step, 0, perf_counter()
    for step, batch in enumerate(batches[start_step:], start=start_step + 1):
        batch = batch.to(state.device)
        batch_targets = [target[batch] for target in targets]
        _set_learning_rate(state, config.training, step, len(batches))
        decoded_images = None if images is None else images.load(batch)
        loss_sums += _train_step(state, inputs.load(batch), batch_targets, config, epoch, step, decoded_images)
        image_count += len(batch)
        if step % BATCHES_PER_REPORT == 0 or step == len(batches):
            mean_losses = Losses(*(loss_sums / (step - reported_step)).tolist())
            if not all(map(math.isfinite, mean_losses)):
                raise UserError(
                    f"The loss became NaN or infinite in epoch {epoch}. "
                    "Start a new session with a smaller --beta or --gamma."
                )
            seconds = perf_counter() - started_at
            yield BatchesTrained(epoch, step, len(batches), mean_losses, image_count / seconds, seconds)
            loss_sums.zero_()
            reported_step, image_count, started_at = step, 0, perf_counter()


def _train_step(
    state: TrainState,
    inputs: Tensor,
    targets: Sequence[Tensor],
    config: Config,
    epoch: int,
    step: int,
    images: Tensor | None,
) -> Tensor:
    """Take a step of Adam on a batch of images [B, 1, H, W] or vectors [B, D]; return the losses, [5].

    `targets` are class ids and weights [B], or empty; an image decoder of vectors learns to decode `images`.
    """
    count, views = len(inputs), inputs
    if config.augmentation.is_enabled:
        views = torch.cat([inputs, _draw_second_view(state.vae, inputs, config, epoch, step)])  # [2 B, ...]
    vae = state.vae.train(len(views) > 1)  # the batch normalisation of a single view uses the running statistics
    hidden, view_means, view_stds, _ = vae.encode(views)
    mean, std = view_means[:count], view_stds[:count]  # only plain views are reconstructed
    latents = mean + std * draw_normal_noise(config, mean, "training", epoch, step)  # [B, z_dim]
    reconstruction = vae.measure_reconstruction(latents, inputs)
    divergence = losses.kl_divergence(mean, std)
    total = reconstruction + config.loss.beta * divergence  # eq. 1
    classification = contrastive = consistency = torch.zeros_like(divergence)
    if config.loss.contrastive_weight and config.augmentation.is_enabled:
        contrastive = losses.nt_xent(view_means, config.loss.temperature)
        total = total + config.loss.contrastive_weight * contrastive
    if targets:
        view_latents = view_means
        if config.network.latent == "sample":
            view_latents = latents
            if len(views) > count:
                second_mean, second_std = view_means[count:], view_stds[count:]
                noise = draw_normal_noise(config, second_mean, "training view", epoch, step)
                view_latents = torch.cat([latents, second_mean + second_std * noise])  # [2 B, z_dim]
        logits = vae.classify(hidden, view_latents)
        repeats = len(views) // count
        class_ids, weights = (torch.cat([target] * repeats) for target in targets)
        classification = losses.classification(logits, class_ids, weights)
        total = total + config.loss.gamma * classification  # eq. 3
        if config.loss.consistency_weight and config.augmentation.is_enabled:
            consistency = losses.consistency(logits, config.loss.consistency_threshold)
            total = total + config.loss.consistency_weight * consistency
    if images is not None and isinstance(vae, VectorVAE):
        # The latent vectors are detached, so that this changes the image decoder alone.
        total = total + losses.reconstruction(vae.decode_images(latents.detach()), images)
    state.optimiser.zero_grad()
    total.backward()  # type: ignore[no-untyped-call]
    state.optimiser.step()
    # The order of `Losses`.
    return torch.stack([reconstruction, divergence, classification, contrastive, consistency]).detach()


def _draw_second_view(vae: Networks, inputs: Tensor, config: Config, epoch: int, step: int) -> Tensor:
    if isinstance(vae, VectorVAE):
        mean, scale = vae.input_mean, vae.input_scale
        return augment_vectors(inputs, mean, scale, config.augmentation, config.seed, epoch, step)
    return augment(inputs, config.augmentation, config.seed, epoch, step)


def _set_learning_rate(state: TrainState, config: TrainingConfig, step: int, steps_per_epoch: int) -> None:
    """Set the learning rate of a step if the schedule is "cosine": linear warm-up, then cosine decay.

    The schedule restarts every epoch, so that rounds can be added later and every round asks a settled network.
    """
    if config.lr_schedule == "cosine":
        cosine = MIN_LR_FRACTION + (1 - MIN_LR_FRACTION) * (1 + math.cos(math.pi * step / steps_per_epoch)) / 2
        for group in state.optimiser.param_groups:
            group["lr"] = config.learning_rate * cosine * min(1.0, step / LR_WARMUP_BATCHES)

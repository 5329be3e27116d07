"""The training loop: a generator that trains the networks for one epoch and yields reports."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from time import perf_counter

import torch
from torch import Tensor, nn

from vaetui.engine import losses
from vaetui.engine.augmentation import augment
from vaetui.engine.batch_norm import BatchNorm
from vaetui.engine.config import (
    BATCHES_PER_REPORT,
    Config,
    TrainingConfig,
    find_epoch_before_round,
    find_round_of_epoch,
)
from vaetui.engine.device_inputs import DeviceImages, DeviceInputs
from vaetui.engine.devices import compute_with, explain_lack_of_memory, send
from vaetui.engine.distributed import SINGLE, World
from vaetui.engine.epoch_batches import draw_batches
from vaetui.engine.events import BatchesTrained, Losses
from vaetui.engine.inference import draw_normal_noise
from vaetui.engine.networks import Networks
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.rng import BatchPart
from vaetui.engine.train_state import TrainState
from vaetui.engine.vae import VAE
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
    world: World = SINGLE,
) -> Generator[BatchesTrained, None, None]:
    """Train for the rest of one epoch after `start_step` batches, and yield a report every few batches.

    `inputs` are all training images, or their vectors, on the device of `state`; `pseudo_labels` is None for an
    unsupervised epoch (eq. 1 alone). `images` are needed for an image decoder of vectors. `state` contains all progress
    at every report, so the caller may stop there. The order of the inputs and the noise depend only on seed, epoch and
    batch. In a `world` of several processes each trains on its part of every batch, and the reports are those of all.
    Raises UserError if the loss becomes NaN or infinite, and if an accelerator runs out of memory.
    """
    train_step = world.wrap(TrainingStep(state.vae, config))
    batches = draw_batches(config, len(inputs), epoch)
    arrays = () if pseudo_labels is None else (pseudo_labels.class_ids, pseudo_labels.weights)
    targets = [torch.from_numpy(array) for array in arrays]
    loss_sums = torch.zeros(len(Losses._fields), device=state.device)
    reported_step, image_count, started_at = start_step, 0, perf_counter()
    for step, batch in enumerate(batches[start_step:], start=start_step + 1):
        _set_learning_rate(state, config.training, epoch, step, len(batches))
        # Every process trains on the whole of a batch that has not an image to reconstruct for each.
        batch_world = world if len(batch) >= world.size * config.loss.reconstruct_every else SINGLE
        part = batch[batch_world.part(len(batch))]
        with explain_lack_of_memory():
            sent_part, *part_targets = send([part, *(target[part] for target in targets)], state.device)
            part_inputs = inputs.load(part, sent_part)
            decoded_images = None if images is None else images.load(part, sent_part)
            state.optimiser.zero_grad()
            total, terms = train_step(part_inputs, part_targets, decoded_images, epoch, step, len(batch), batch_world)
            total.backward()
            state.optimiser.step()
        loss_sums += terms
        image_count += len(batch)
        if step % BATCHES_PER_REPORT == 0 or step == len(batches):
            mean_losses = Losses(*world.mean(loss_sums / (step - reported_step)).tolist())
            if not all(map(math.isfinite, mean_losses)):
                raise UserError(
                    f"The loss became NaN or infinite in epoch {epoch}. "
                    "Start a new session with a smaller --beta or --gamma."
                )
            seconds = perf_counter() - started_at
            yield BatchesTrained(epoch, step, len(batches), mean_losses, image_count / seconds, seconds)
            loss_sums.zero_()
            reported_step, image_count, started_at = step, 0, perf_counter()


class TrainingStep(nn.Module):
    """The loss of a batch as a module, whose gradients DistributedDataParallel can average."""

    def __init__(self, vae: Networks, config: Config) -> None:
        """Compute the loss of `vae`, as configured."""
        super().__init__()
        self.vae = vae
        self.config = config
        self._batch_norms = [module for module in vae.modules() if isinstance(module, BatchNorm)]

    def forward(
        self,
        inputs: Tensor,
        targets: Sequence[Tensor],
        images: Tensor | None,
        epoch: int,
        step: int,
        batch_count: int,
        world: World,
    ) -> tuple[Tensor, Tensor]:
        """Return the loss of this process for its part of a batch of `batch_count`, and its terms, [5].

        Their means over the processes are those of the batch. `inputs` are images [B, 1, H, W] or vectors [B, D];
        `targets` are class ids and weights [B], or empty; an image decoder of vectors learns to decode `images`.
        """
        config, vae, count = self.config, self.vae, len(inputs)
        for batch_norm in self._batch_norms:
            batch_norm.world = world  # which is SINGLE where every process trains on the whole batch
        part = BatchPart(batch_count, world.part(batch_count))
        repeats = 2 if config.augmentation.is_enabled else 1  # views of an input
        share = count * world.size / batch_count  # losses are means over the part, but the parts may differ in size
        vae.train(repeats * batch_count > 1)  # the batch normalisation of a single view uses the running statistics
        second_views = None if repeats == 1 else _draw_second_view(vae, inputs, part, config, epoch, step)
        with compute_with(config.precision, inputs.device):
            encoding = vae.encode(inputs) if second_views is None else vae.encode_views(inputs, second_views)
        hidden, view_means, view_stds, _ = encoding
        mean, std = view_means[:count], view_stds[:count]  # only plain views are reconstructed
        noise = draw_normal_noise(config, mean, "training", epoch, step, part=part)
        latents = mean + std * noise  # [B, z_dim]
        with compute_with(config.precision, inputs.device):
            decoded, decoded_share = _select_reconstructed(part, config.loss.reconstruct_every)
            reconstruction = decoded_share * world.size * vae.measure_reconstruction(latents[decoded], inputs[decoded])
        divergence = share * losses.kl_divergence(mean, std)
        total = reconstruction + config.loss.beta * divergence  # eq. 1
        classification = contrastive = consistency = torch.zeros_like(divergence)
        if config.loss.contrastive_weight and config.augmentation.is_enabled:
            start = repeats * part.rows.start
            all_means = world.gather_rows(view_means, start, repeats * batch_count)
            contrastive = share * losses.nt_xent(all_means, config.loss.temperature, start, repeats * count)
            total = total + config.loss.contrastive_weight * contrastive
        if not targets and repeats == 2 and isinstance(vae, VAE) and vae.cluster_heads is not None:
            with compute_with(config.precision, inputs.device):
                plain, augmented = vae.assign_clusters(hidden).chunk(2)  # 2 x [B, heads, K]
            joint = world.sum(torch.einsum("bhk,bhl->hkl", plain, augmented) / batch_count)
            total = total + config.loss.clustering_weight * losses.clustering(joint)
        if targets:
            view_latents = view_means
            if config.network.latent == "sample":
                view_latents = latents
                if repeats == 2:
                    second_mean, second_std = view_means[count:], view_stds[count:]
                    noise = draw_normal_noise(config, second_mean, "training view", epoch, step, part=part)
                    view_latents = torch.cat([latents, second_mean + second_std * noise])  # [2 B, z_dim]
            with compute_with(config.precision, inputs.device):
                logits = vae.classify(hidden, view_latents).float()
            class_ids, weights = (torch.cat([target] * repeats) for target in targets)
            label_count = world.sum(torch.count_nonzero(weights)).clamp(min=1) / world.size
            classification = losses.classification(logits, class_ids, weights, label_count)
            total = total + config.loss.gamma * classification  # eq. 3
            if config.loss.consistency_weight and config.augmentation.is_enabled:
                consistency = share * losses.consistency(logits, config.loss.consistency_threshold)
                total = total + config.loss.consistency_weight * consistency
        if images is not None and isinstance(vae, VectorVAE):
            # The latent vectors are detached, so that this changes the image decoder alone.
            with compute_with(config.precision, inputs.device):
                total = total + share * losses.reconstruction(vae.decode_images(latents.detach()), images)
        # The order of `Losses`.
        return total, torch.stack([reconstruction, divergence, classification, contrastive, consistency]).detach()


def _draw_second_view(vae: Networks, inputs: Tensor, part: BatchPart, config: Config, epoch: int, step: int) -> Tensor:
    if isinstance(vae, VectorVAE):
        mean, scale = vae.input_mean, vae.input_scale
        return augment_vectors(inputs, mean, scale, config.augmentation, config.seed, epoch, step, part=part)
    return augment(inputs, config.augmentation, config.seed, epoch, step, part=part)


def _select_reconstructed(part: BatchPart, every: int) -> tuple[slice, float]:
    """Return the rows of a part that are reconstructed, and their share of all such rows of the batch.

    In every division of the batch they are the same images.
    """
    rows = range(*part.rows.indices(part.batch_count))
    selected = slice(-rows.start % every, None, every)
    return selected, len(rows[selected]) / len(range(0, part.batch_count, every))


def _set_learning_rate(state: TrainState, config: TrainingConfig, epoch: int, step: int, steps_per_epoch: int) -> None:
    """Set the learning rate of a step if the schedule is "cosine": linear warm-up, then cosine decay.

    It declines once over the epochs before the first round, and restarts after every round, so that rounds can be added
    later and every round asks a settled network.
    """
    if config.lr_schedule == "cosine":
        round_number = find_round_of_epoch(config, epoch)
        epochs_before, epoch_count = 0, config.warmup_epochs
        if round_number is not None:
            epochs_before, epoch_count = find_epoch_before_round(config, round_number), config.epochs_per_round
        step += (epoch - 1 - epochs_before) * steps_per_epoch
        step_count = epoch_count * steps_per_epoch
        cosine = MIN_LR_FRACTION + (1 - MIN_LR_FRACTION) * (1 + math.cos(math.pi * step / step_count)) / 2
        for group in state.optimiser.param_groups:
            group["lr"] = config.learning_rate * cosine * min(1.0, step / LR_WARMUP_BATCHES)

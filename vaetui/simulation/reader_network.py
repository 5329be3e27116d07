"""A small convolutional classifier that stands for a person who reads images."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from vaetui.engine import rng
from vaetui.engine.clusters import Pixels
from vaetui.engine.device_inputs import DeviceImages
from vaetui.engine.events import Progress
from vaetui.engine.images import Images
from vaetui.engine.true_labels import TrueLabels
from vaetui.engine.vae import count_channels, to_float_images

EPOCHS = 2
"""More epochs gain tenths of a percent on sharp images and nothing on blurred ones."""
BATCH_SIZE = 128
"""Images per training batch."""
INFERENCE_BATCH_SIZE = 1024
"""Images per batch of `predict`."""
MAX_LEARNING_RATE = 2e-3
"""Peak of the one-cycle learning rate schedule."""
MIXUP_ALPHA = 0.3
"""Parameter of the beta distribution of mixup; Zhang et al. recommend 0.1 to 0.4."""


@dataclass(frozen=True, slots=True, eq=False)
class ReaderPredictions:
    """Predictions of the reader for N images."""

    class_ids: NDArray[np.int64]
    """The most likely classes, [N]."""
    confidences: NDArray[np.float32]
    """Their probabilities, [N]."""


class ReaderNetwork(nn.Module):
    """Two convolutions and two dense layers."""

    def __init__(self, shape: tuple[int, ...], class_count: int) -> None:
        """Create an untrained network for images of `shape` (height, width) or (height, width, 3)."""
        super().__init__()
        self.conv1 = nn.Conv2d(count_channels(shape), 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.dense1 = nn.Linear(64 * (shape[0] // 4) * (shape[1] // 4), 128)
        self.dense2 = nn.Linear(128, class_count)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Return class logits [N, classes] for images [N, C, H, W] in 0 to 1."""
        hidden = F.max_pool2d(self.conv1(images).relu(), 2)  # [N, 32, H/2, W/2]
        hidden = F.max_pool2d(self.conv2(hidden).relu(), 2)  # [N, 64, H/4, W/4]
        logits: Tensor = self.dense2(self.dense1(hidden.flatten(1)).relu())
        return logits

    @torch.inference_mode()
    def predict(self, images: Pixels) -> ReaderPredictions:
        """Predict the classes of images [N, H, W] or [N, H, W, 3]."""
        batches = torch.split(torch.from_numpy(images), INFERENCE_BATCH_SIZE)
        maxima = [self(to_float_images(batch)).softmax(dim=1).max(dim=1) for batch in batches]
        confidences, class_ids = (torch.cat(column) for column in zip(*maxima, strict=True))
        return ReaderPredictions(class_ids.numpy(), confidences.numpy())


def train_reader(images: Images, true_labels: TrueLabels, class_count: int) -> Generator[Progress, None, ReaderNetwork]:
    """Train a reader on the images that have a label; yields its progress and returns the network.

    A decoded centre is a blurred mean of many images, often of two classes. So half of the images are blurred, and
    all are mixed in pairs together with their labels (mixup, Zhang et al. 2018), which lowers the confidence on blends.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.derive_seed(0, "reader"))
        reader = ReaderNetwork(images.shape, class_count)
    labelled_indices = np.flatnonzero(true_labels.is_labelled)
    images = images.subset(labelled_indices)
    dataset = DeviceImages(images, torch.device("cpu"))
    class_ids = torch.from_numpy(true_labels.class_ids[labelled_indices].astype(np.int64))
    step_count = max(len(images) // BATCH_SIZE, 1)
    optimiser = torch.optim.Adam(reader.parameters(), MAX_LEARNING_RATE)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimiser, MAX_LEARNING_RATE, total_steps=EPOCHS * step_count)
    for epoch in range(EPOCHS):
        generator = rng.derive_generator(0, "reader", epoch)
        order = torch.from_numpy(generator.permutation(len(images)))
        for step in range(1, step_count + 1):
            batch = order[(step - 1) * BATCH_SIZE : step * BATCH_SIZE]
            pixels = _blur_alternate(dataset.load(batch), generator)
            fraction = float(generator.beta(MIXUP_ALPHA, MIXUP_ALPHA))
            partners = torch.from_numpy(generator.permutation(len(batch)))
            logits = reader(fraction * pixels + (1 - fraction) * pixels[partners])
            loss = fraction * F.cross_entropy(logits, class_ids[batch])
            loss = loss + (1 - fraction) * F.cross_entropy(logits, class_ids[batch[partners]])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            scheduler.step()
            yield Progress("training the reader", epoch * step_count + step, EPOCHS * step_count)
    return reader


def _blur_alternate(images: Tensor, generator: np.random.Generator) -> Tensor:
    """Blur every second image with one to three 3x3 mean filters; the number is drawn once per batch."""
    blurred = images
    for _ in range(int(generator.integers(1, 4))):
        blurred = F.avg_pool2d(blurred, 3, stride=1, padding=1)
    is_even = (torch.arange(len(images)) % 2 == 0).view(-1, 1, 1, 1)
    return torch.where(is_even, blurred, images)

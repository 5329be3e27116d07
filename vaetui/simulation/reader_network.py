"""An independent network that reads pictures, trained on labelled images; it knows no session and no latent space."""

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
from vaetui.engine.dataset import Dataset
from vaetui.engine.events import Progress
from vaetui.engine.ground_truth import TrueLabels
from vaetui.engine.images import Images
from vaetui.engine.vae import count_channels, to_float_images

EPOCHS = 2
"""More gain some tenths of a percent on sharp images and nothing on blurred ones."""
BATCH_SIZE = 128
"""Images in a batch."""
MAX_LEARNING_RATE = 2e-3
"""The highest learning rate of the one cycle."""


@dataclass(frozen=True, slots=True, eq=False)
class ReaderPredictions:
    """What the reader sees in pictures."""

    class_ids: NDArray[np.int64]
    """The most likely class, [N]."""
    confidences: NDArray[np.float32]
    """Its probability, [N]."""


class ReaderNetwork(nn.Module):
    """Two convolutions and two dense layers over images of one size."""

    def __init__(self, shape: tuple[int, ...], class_count: int) -> None:
        """Make a network for images of `shape` (height, width), in colour (height, width, 3), not yet trained."""
        super().__init__()
        self.conv1 = nn.Conv2d(count_channels(shape), 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.dense1 = nn.Linear(64 * (shape[0] // 4) * (shape[1] // 4), 128)
        self.dense2 = nn.Linear(128, class_count)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Give the logits of the classes, [N, classes], of images [N, 1, H, W] in 0 to 1."""
        hidden = F.max_pool2d(self.conv1(images).relu(), 2)  # [N, 32, H/2, W/2]
        hidden = F.max_pool2d(self.conv2(hidden).relu(), 2)  # [N, 64, H/4, W/4]
        logits: Tensor = self.dense2(self.dense1(hidden.flatten(1)).relu())
        return logits

    @torch.inference_mode()
    def predict(self, images: Pixels) -> ReaderPredictions:
        """Read pictures [N, H, W]."""
        pieces = torch.split(torch.from_numpy(images), 1024)
        parts = [self(to_float_images(piece)).softmax(dim=1).max(dim=1) for piece in pieces]
        certainty, classes = (torch.cat(column) for column in zip(*parts, strict=True))
        return ReaderPredictions(classes.numpy(), certainty.numpy())


def train_reader(images: Images, true_labels: TrueLabels, class_count: int) -> Generator[Progress, None, ReaderNetwork]:
    """Train a reader on labelled images; yields its progress and returns the reader.

    A decoded centre is a blurred mean of many images, and often of two classes. So half of the images are blurred,
    and all are mixed in pairs, labels too (Zhang et al. 2018, "mixup"): a blend of two classes is to be doubted.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.derive_seed(0, "reader"))
        reader = ReaderNetwork(images.shape, class_count)
    pixels = Dataset(images, torch.device("cpu"))
    labels = torch.from_numpy(true_labels.class_ids.astype(np.int64))
    steps = max(len(images) // BATCH_SIZE, 1)
    optimiser = torch.optim.Adam(reader.parameters(), MAX_LEARNING_RATE)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, MAX_LEARNING_RATE, total_steps=EPOCHS * steps)
    for epoch in range(EPOCHS):
        draw = rng.derive_generator(0, "reader", epoch)
        order = torch.from_numpy(draw.permutation(len(images)))
        for step in range(1, steps + 1):
            batch = order[(step - 1) * BATCH_SIZE : step * BATCH_SIZE]
            seen, share = _blur_alternate(to_float_images(pixels[batch]), draw), float(draw.beta(0.3, 0.3))
            other = torch.from_numpy(draw.permutation(len(batch)))
            logits = reader(share * seen + (1 - share) * seen[other])
            loss = share * F.cross_entropy(logits, labels[batch])
            loss = loss + (1 - share) * F.cross_entropy(logits, labels[batch[other]])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            cycle.step()
            yield Progress("training the reader", epoch * steps + step, EPOCHS * steps)
    return reader


def _blur_alternate(images: Tensor, generator: np.random.Generator) -> Tensor:
    """Blur every second image, all of a batch alike, by up to three means over 3x3 pixels."""
    blurred = images
    for _ in range(int(generator.integers(1, 4))):
        blurred = F.avg_pool2d(blurred, 3, stride=1, padding=1)
    every_second = (torch.arange(len(images)) % 2 == 0).view(-1, 1, 1, 1)
    return torch.where(every_second, blurred, images)

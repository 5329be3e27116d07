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
from vaetui.engine.events import Progressed
from vaetui.engine.ground_truth import Truth
from vaetui.engine.images import Images
from vaetui.engine.vae import channels, scale

EPOCHS = 2
"""More gain some tenths of a percent on sharp images and nothing on blurred ones."""
BATCH = 128
"""Images in a batch."""
RATE = 2e-3
"""The highest learning rate of the one cycle."""


@dataclass(frozen=True, slots=True, eq=False)
class Opinions:
    """What the reader sees in pictures."""

    classes: NDArray[np.int64]
    """The most likely class, [N]."""
    certainty: NDArray[np.float32]
    """Its probability, [N]."""


class Reader(nn.Module):
    """Two convolutions and two dense layers over images of one size."""

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        """Make a network for images of `shape` (height, width), in colour (height, width, 3), not yet trained."""
        super().__init__()
        self.conv1 = nn.Conv2d(channels(shape), 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.dense1 = nn.Linear(64 * (shape[0] // 4) * (shape[1] // 4), 128)
        self.dense2 = nn.Linear(128, classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Give the logits of the classes, [N, classes], of images [N, 1, H, W] in 0 to 1."""
        hidden = F.max_pool2d(self.conv1(images).relu(), 2)  # [N, 32, H/2, W/2]
        hidden = F.max_pool2d(self.conv2(hidden).relu(), 2)  # [N, 64, H/4, W/4]
        logits: Tensor = self.dense2(self.dense1(hidden.flatten(1)).relu())
        return logits

    @torch.inference_mode()
    def read(self, pictures: Pixels) -> Opinions:
        """Read pictures [N, H, W]."""
        pieces = torch.split(torch.from_numpy(pictures), 1024)
        parts = [self(scale(piece)).softmax(dim=1).max(dim=1) for piece in pieces]
        certainty, classes = (torch.cat(column) for column in zip(*parts, strict=True))
        return Opinions(classes.numpy(), certainty.numpy())


def train(images: Images, truth: Truth, classes: int) -> Generator[Progressed, None, Reader]:
    """Train a reader on labelled images; yields its progress and returns the reader.

    A decoded centre is a blurred mean of many images, and often of two classes. So half of the images are blurred,
    and all are mixed in pairs, labels too (Zhang et al. 2018, "mixup"): a blend of two classes is to be doubted.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.integer(0, "reader"))
        reader = Reader(images.shape, classes)
    pixels = Dataset(images, torch.device("cpu"))
    labels = torch.from_numpy(truth.classes.astype(np.int64))
    steps = max(len(images) // BATCH, 1)
    optimiser = torch.optim.Adam(reader.parameters(), RATE)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * steps)
    for epoch in range(EPOCHS):
        draw = rng.generator(0, "reader", epoch)
        order = torch.from_numpy(draw.permutation(len(images)))
        for step in range(1, steps + 1):
            batch = order[(step - 1) * BATCH : step * BATCH]
            seen, share = _blurred(scale(pixels[batch]), draw), float(draw.beta(0.3, 0.3))
            other = torch.from_numpy(draw.permutation(len(batch)))
            logits = reader(share * seen + (1 - share) * seen[other])
            loss = share * F.cross_entropy(logits, labels[batch])
            loss = loss + (1 - share) * F.cross_entropy(logits, labels[batch[other]])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            cycle.step()
            yield Progressed("training the reader", epoch * steps + step, EPOCHS * steps)
    return reader


def _blurred(images: Tensor, draw: np.random.Generator) -> Tensor:
    """Blur every second image, all of a batch alike, by up to three means over 3x3 pixels."""
    blurred = images
    for _ in range(int(draw.integers(1, 4))):
        blurred = F.avg_pool2d(blurred, 3, stride=1, padding=1)
    every_second = (torch.arange(len(images)) % 2 == 0).view(-1, 1, 1, 1)
    return torch.where(every_second, blurred, images)

"""How fast training is, against a matrix multiply and against the usual loop over a DataLoader."""

from __future__ import annotations

import io
import statistics
import time

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from tests.idx import MNIST
from vaetui.engine import losses, malloc
from vaetui.engine.config import Config
from vaetui.engine.images import read_idx
from vaetui.engine.training import BATCHES_PER_REPORT, create_train_state, train

FLOP = 46.9e6
"""Floating-point operations of the paper's network for one image, forward and backward."""
PAIRS = 40


def against_multiply() -> tuple[float, str]:
    """Give the share of a float32 multiply's rate that training reaches, in the median of alternate turns."""
    malloc.tune_malloc()
    pixels = torch.from_numpy(read_idx(MNIST / "train-images-idx3-ubyte.gz", 3))
    going = train(create_train_state(Config(), (28, 28)), pixels, None, Config(), epoch=1)
    # As large as the second convolution, where most of the work is, is as a multiply.
    left, right = torch.randn(3136, 576), torch.randn(576, 128)
    for _ in range(4):
        next(going)
    shares, rates, speeds = [], [], []
    before = _multiply(left, right)
    for _ in range(PAIRS):
        rate = next(going).images_per_second
        after = _multiply(left, right)
        shares.append(rate * FLOP / ((before + after) / 2))
        rates.append(rate)
        speeds.append(after / 1e9)
        before = after
    return statistics.median(shares), (
        f"median {statistics.median(rates):,.0f} images/s beside {statistics.median(speeds):.0f} GFLOP/s, "
        f"{torch.get_num_threads()} threads, {PAIRS} pairs from {min(shares):.2f} to {max(shares):.2f}"
    )


def multiply() -> float:
    """Give the rate of a large float32 multiply on all threads, in GFLOP/s."""
    left, right = torch.randn(2048, 2048), torch.randn(2048, 2048)
    _multiply(left, right, 3)
    return _multiply(left, right, 10) / 1e9


def _multiply(left: torch.Tensor, right: torch.Tensor, times: int = 100) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        left @ right
    return times * 2 * left.shape[0] * left.shape[1] * right.shape[1] / (time.perf_counter() - begun)


class Decoded(Dataset[torch.Tensor]):
    """Images kept as PNG and decoded one by one, as data sets on a disk usually are."""

    def __init__(self) -> None:
        self.files = []
        for pixels in read_idx(MNIST / "train-images-idx3-ubyte.gz", 3)[:16_000]:
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, "png")
            self.files.append(file.getvalue())

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, at: int) -> torch.Tensor:
        pixels = np.array(Image.open(io.BytesIO(self.files[at])), np.float32)
        return torch.from_numpy(pixels).unsqueeze(0) / 255


def against_loader() -> tuple[float, str]:
    """Give how many times as fast training is as the better of two usual loops, in the median of alternate turns."""
    pixels = torch.from_numpy(read_idx(MNIST / "train-images-idx3-ubyte.gz", 3))
    going = train(create_train_state(Config(), (28, 28)), pixels, None, Config(), epoch=1)
    decoded = Decoded()
    usual = {workers: _usual(DataLoader(decoded, 64, shuffle=True, num_workers=workers)) for workers in (0, 2)}
    for rates in (going, *usual.values()):
        for _ in range(4):
            next(rates)
    ratios = []
    for _ in range(10):
        ours = statistics.mean(next(going).images_per_second for _ in range(2))
        ratios.append({workers: ours / next(rates) for workers, rates in usual.items()})
    medians = {workers: statistics.median(each[workers] for each in ratios) for workers in usual}
    return min(medians.values()), ", ".join(f"{ratio:.2f} x with {it} workers" for it, ratio in medians.items())


def _usual(batches: DataLoader[torch.Tensor]):
    """Train the same networks as such loops are usually written, and give the rate of every few batches.

    Usual is: the default memory format, the default Adam, the loss looked at in every step.
    """
    vae = create_train_state(Config(), (28, 28)).vae.to(memory_format=torch.contiguous_format)
    optimiser = torch.optim.Adam(vae.parameters(), 1e-3)
    seen = 0.0
    while True:
        begun = time.perf_counter()
        for step, images in enumerate(batches, start=1):
            _, mean, deviation = vae.infer(images)
            latents = mean + deviation * torch.randn_like(deviation)
            total = losses.reconstruction(vae.generate(latents), images) + 5 * losses.kl_divergence(mean, deviation)
            optimiser.zero_grad()
            total.backward()
            optimiser.step()
            seen += total.item()
            if step % (2 * BATCHES_PER_REPORT) == 0:
                yield 2 * BATCHES_PER_REPORT * 64 / (time.perf_counter() - begun)
                begun = time.perf_counter()

"""Measure the training speed against a matrix multiply and against a usual loop over a DataLoader."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from tests.idx import MNIST_DIRECTORY
from vaetui.engine import losses, malloc
from vaetui.engine.config import BATCHES_PER_REPORT, Config
from vaetui.engine.device_inputs import DeviceImages
from vaetui.engine.events import BatchesTrained
from vaetui.engine.images import images_from_array, read_idx_array
from vaetui.engine.train_state import create_train_state
from vaetui.engine.training import train_epoch

FLOP_PER_IMAGE = 46.9e6
"""Floating-point operations of the paper's network for one image, forward and backward."""
PAIRS = 40
TURNS = 10


def compare_with_multiply() -> tuple[float, str]:
    """Return the share of a float32 multiply's rate that training reaches, as the median of alternate turns."""
    malloc.tune_malloc()
    reports = _train()
    # The size of the second convolution, which does most of the work, as a multiply.
    left, right = torch.randn(3136, 576), torch.randn(576, 128)
    for _ in range(4):
        next(reports)
    shares, image_rates, multiply_rates = [], [], []
    before = _measure_flops(left, right)
    for _ in range(PAIRS):
        image_rate = next(reports).images_per_second
        after = _measure_flops(left, right)
        shares.append(image_rate * FLOP_PER_IMAGE / ((before + after) / 2))
        image_rates.append(image_rate)
        multiply_rates.append(after / 1e9)
        before = after
    return statistics.median(shares), (
        f"median {statistics.median(image_rates):,.0f} images/s beside "
        f"{statistics.median(multiply_rates):.0f} GFLOP/s, {torch.get_num_threads()} threads, "
        f"{PAIRS} pairs from {min(shares):.2f} to {max(shares):.2f}"
    )


def _train() -> Iterator[BatchesTrained]:
    images = images_from_array(read_idx_array(MNIST_DIRECTORY / "train-images-idx3-ubyte.gz", 3))
    state = create_train_state(Config(), (28, 28))
    return train_epoch(state, DeviceImages(images, state.device), None, Config(), epoch=1)


def measure_matrix_multiply() -> float:
    """Return the rate of a large float32 multiply on all threads, in GFLOP/s."""
    left, right = torch.randn(2048, 2048), torch.randn(2048, 2048)
    _measure_flops(left, right, 3)
    return _measure_flops(left, right, 10) / 1e9


def _measure_flops(left: torch.Tensor, right: torch.Tensor, repetitions: int = 100) -> float:
    start = time.perf_counter()
    for _ in range(repetitions):
        left @ right
    return repetitions * 2 * left.shape[0] * left.shape[1] * right.shape[1] / (time.perf_counter() - start)


class PngDataset(Dataset[torch.Tensor]):
    """Images kept as PNG and decoded one by one, as datasets on disk usually are."""

    def __init__(self) -> None:
        self.files = []
        for pixels in read_idx_array(MNIST_DIRECTORY / "train-images-idx3-ubyte.gz", 3)[:16_000]:
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, "png")
            self.files.append(file.getvalue())

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> torch.Tensor:
        pixels = np.array(Image.open(io.BytesIO(self.files[index])), np.float32)
        return torch.from_numpy(pixels).unsqueeze(0) / 255


def compare_with_loader() -> tuple[float, str]:
    """Return the speed of training relative to the better of two usual loops, as the median of alternate turns."""
    reports = _train()
    dataset = PngDataset()
    loops = {workers: _run_usual_loop(DataLoader(dataset, 64, shuffle=True, num_workers=workers)) for workers in (0, 2)}
    for iterator in (reports, *loops.values()):
        for _ in range(4):
            next(iterator)
    ratios = []
    for _ in range(TURNS):
        rate = statistics.mean(next(reports).images_per_second for _ in range(2))
        ratios.append({workers: rate / next(loop) for workers, loop in loops.items()})
    medians = {workers: statistics.median(ratio[workers] for ratio in ratios) for workers in loops}
    return min(medians.values()), ", ".join(f"{ratio:.2f} x with {count} workers" for count, ratio in medians.items())


def _run_usual_loop(batches: DataLoader[torch.Tensor]) -> Iterator[float]:
    """Train the same networks with a usual loop, and yield images per second every few batches.

    Usual means: the default memory format, the default Adam, and `loss.item()` in every step.
    """
    vae = create_train_state(Config(), (28, 28)).vae.to(memory_format=torch.contiguous_format)
    optimiser = torch.optim.Adam(vae.parameters(), 1e-3)
    loss_sum = 0.0
    while True:
        start = time.perf_counter()
        for step, images in enumerate(batches, start=1):
            _, mean, deviation, _ = vae.encode(images)
            latents = mean + deviation * torch.randn_like(deviation)
            loss = losses.reconstruction(vae.decode(latents), images) + 5 * losses.kl_divergence(mean, deviation)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            loss_sum += loss.item()
            if step % (2 * BATCHES_PER_REPORT) == 0:
                yield 2 * BATCHES_PER_REPORT * 64 / (time.perf_counter() - start)
                start = time.perf_counter()

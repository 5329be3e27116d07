"""Train on request and print the rate: what `training_rates` starts once for each version of the code.

It uses only what older versions of the engine have too, and nothing from `tests`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from vaetui.engine import malloc
from vaetui.engine.device_inputs import DeviceImages
from vaetui.engine.images import Images, read_idx_array
from vaetui.engine.patch_vae import PatchVAE
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.recipes import get_recipe
from vaetui.engine.train_state import create_train_state
from vaetui.engine.training import train_epoch

TURN_S = 2.0
DEFAULT_SIDE = 64
COLOUR_PIXELS = 8_000 * 64 * 64
"""Pixels of all generated images together; an epoch of few large ones is short, so that turns are too."""


def main() -> None:
    """Answer each line of the standard input by the images trained per second, and per second of CPU time."""
    recipe, kind, mnist, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    malloc.tune_malloc()
    pixels = read_idx_array(Path(mnist) / "train-images-idx3-ubyte.gz", 3)
    reports = _train(
        recipe, pixels if kind == "grey" else _draw_colour_images(pixels, int(kind.partition("-")[2] or DEFAULT_SIDE))
    )
    for _ in range(2):
        next(reports)
    print("ready", flush=True)
    for _ in sys.stdin:
        start, cpu_start, image_count = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() < start + TURN_S:
            image_count += next(reports)
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
        print(image_count / seconds, image_count / cpu_seconds, flush=True)


def _draw_colour_images(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return enlarged digits in two colours each, with noise, [N, side, side, 3]."""
    generator = np.random.default_rng(0)
    factor = side // 28
    border = side - 28 * factor
    enlarged = pixels[: COLOUR_PIXELS // side**2].repeat(factor, axis=1).repeat(factor, axis=2) / np.float32(255)
    borders = (border // 2, border - border // 2)
    shares = np.pad(enlarged, ((0, 0), borders, borders))[..., None]  # [N, side, side, 1]
    colours = generator.uniform(0, 220, (2, len(shares), 1, 1, 3)).astype(np.float32)
    noise = generator.uniform(0, 35, (side, side, 3)).astype(np.float32)
    mixed: NDArray[np.uint8] = (colours[0] * shares + colours[1] * (1 - shares) + noise).astype(np.uint8)
    return mixed


def _train(recipe: str, pixels: NDArray[np.uint8]) -> Iterator[int]:
    """Train with labels epoch after epoch, and yield the number of images trained up to each report."""
    config, generator = get_recipe(recipe), np.random.default_rng(0)
    config = replace(config, training=replace(config.training, min_batches=1))
    images = Images(pixels, np.arange(len(pixels)))
    labels = PseudoLabels(generator.integers(0, 10, len(pixels)), generator.random(len(pixels), dtype=np.float32))
    state = create_train_state(config, pixels.shape[1:])
    if isinstance(state.vae, PatchVAE):
        state.vae.fit_to_images(images, 0)
    downsampling = getattr(state.vae, "downsampling", 1)  # older versions have none
    inputs = DeviceImages(images, state.device, **({"downsampling": downsampling} if downsampling > 1 else {}))
    epoch = 0
    while True:
        epoch, previous_step = epoch + 1, 0
        for report in train_epoch(state, inputs, labels, config, epoch):
            yield (report.step - previous_step) * config.training.batch_size
            previous_step = report.step


if __name__ == "__main__":
    main()

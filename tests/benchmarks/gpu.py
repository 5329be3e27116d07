"""Compare the graphics card with the CPU of this machine: python -m tests.benchmarks.gpu [PART ...].

The parts are the rates of training and prediction, a whole simulated run on MNIST, and a million mapped images. Each
part is measured on the CPU and on the graphics card, with float32 and with bfloat16, and saved when it ends, so that
nothing is lost if the time is up: eight minutes suffice. `--device cpu --images 2000 --seconds 1` is a rehearsal.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tests.benchmarks.results import RESULTS, describe_run, replace_json
from tests.idx import MNIST_DIRECTORY
from vaetui.engine import malloc
from vaetui.engine.config import Config
from vaetui.engine.device_inputs import DeviceImages, put_on_device
from vaetui.engine.devices import select_device
from vaetui.engine.events import BatchesTrained
from vaetui.engine.images import Images, images_from_array, read_idx_array
from vaetui.engine.inference import encode_and_classify
from vaetui.engine.kmeans import run_kmeans
from vaetui.engine.neighbours import find_neighbours
from vaetui.engine.patch_vae import PatchVAE
from vaetui.engine.pseudo_labels import PseudoLabels
from vaetui.engine.recipes import get_recipe
from vaetui.engine.train_state import TrainState, create_train_state
from vaetui.engine.training import train_epoch
from vaetui.runtime.session_runner import drain_events

SEED = 0
MILLION = 1_000_000
RATE_IMAGES = 20_000
"""Images that rates are measured on, or fewer in a rehearsal."""
CASES = (
    ("propagation", "28x28 grey"),
    ("propagation", "64x64 colour"),
    ("photos", "64x64 colour"),
    ("paper", "28x28 grey"),
)
SIMULATION_TIMEOUT_S = 150
CPU_GRAPH_VECTORS = 60_000
"""Vectors whose graph is also built on the CPU."""


class Benchmark:
    """The measurements on one machine."""

    def __init__(self, device: str, image_count: int, seconds: float, output: Path) -> None:
        self.image_count, self.seconds = image_count, seconds
        self.device = select_device(device)
        self.places = [("cpu", "float32")]
        if self.device.type != "cpu":
            self.places += [(self.device.type, "float32"), (self.device.type, "bfloat16")]
        self._output = output
        self._results: dict[str, Any] = describe_run() | {"seed": SEED, "device": self._describe_device()}
        self._results |= {"torch": torch.__version__, "threads": torch.get_num_threads(), "images": image_count}

    def record(self, part: str, row: dict[str, Any]) -> None:
        """Add a row to the results and save them."""
        self._results.setdefault(part, []).append(row)
        print(part, *(f"{key}={value}" for key, value in row.items()), flush=True)
        replace_json(self._output, self._results)

    def _describe_device(self) -> str:
        return torch.cuda.get_device_name() if self.device.type == "cuda" else self.device.type

    def measure_rates(self) -> None:
        """Measure images per second of training and of prediction."""
        for recipe, kind in CASES:
            images = images_from_array(draw_images(kind, min(RATE_IMAGES, self.image_count)))
            for place, precision in self.places:
                config = configure(recipe, place, precision)
                state = create_state(config, images)
                inputs = put_on_device(images, state.device, config.network)
                assert isinstance(inputs, DeviceImages)
                row = {"recipe": recipe, "kind": kind, "device": place, "precision": precision}
                row["training_rate"] = round(self._measure_training(state, inputs, config))
                row["prediction_rate"] = round(self._measure_prediction(state, inputs, config))
                self.record("rates", row)

    def simulate(self) -> None:
        """Measure a whole simulated run on MNIST, in processes of their own; the first one also trains the reader."""
        with tempfile.TemporaryDirectory() as home:
            for place, precision in self.places:
                row = {"device": place, "precision": precision}
                self.record("simulation", row | self._simulate_on(place, precision, home))

    def _simulate_on(self, device: str, precision: str, home: str) -> dict[str, Any]:
        options = ["--device", device, "--precision", precision, "--seed", str(SEED), "--json"]
        if self.image_count < RATE_IMAGES:
            options += ["--rounds", "1"]
        started = time.perf_counter()
        try:
            process = subprocess.run(
                [sys.executable, "-m", "vaetui", "simulate", *options],
                env=os.environ | {"VAETUI_HOME": home},
                capture_output=True,
                text=True,
                check=False,
                timeout=SIMULATION_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            return {"error": f"not finished after {SIMULATION_TIMEOUT_S} s"}
        if process.returncode:
            return {"error": process.stderr[-500:]}
        result = json.loads(process.stdout)
        row = {"wall_s": round(time.perf_counter() - started, 1)}
        return row | {key: result[key] for key in ("seconds", "test_accuracy", "exported")}

    def use_many_images(self) -> None:
        """Measure training, prediction, clusters and neighbours of a million images that are mapped from a file."""
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "images.npy"
            write_many_images(path, self.image_count)
            images = images_from_array(np.load(path, mmap_mode="c"))
            for place, precision in self.places[-2:] if len(self.places) > 1 else self.places:
                self._use_many_images_on(images, configure("propagation", place, precision))

    def _use_many_images_on(self, images: Images, config: Config) -> None:
        state, row = create_train_state(config, images.shape), {"device": config.device, "precision": config.precision}
        started = time.perf_counter()
        inputs = put_on_device(images, state.device, config.network)
        assert isinstance(inputs, DeviceImages)
        synchronise(state.device)
        row["copy_s"] = round(time.perf_counter() - started, 2)
        row["resident"] = inputs.is_resident
        row["training_rate"] = round(self._measure_training(state, inputs, config))
        sent = DeviceImages(images, state.device, 0)
        row["training_rate_not_resident"] = round(self._measure_training(state, sent, config))
        started = time.perf_counter()
        latents = drain_events(encode_and_classify(state.vae, inputs, config, "test", 1)).latents
        row["prediction_s"] = round(time.perf_counter() - started, 2)
        vectors = latents / np.linalg.norm(latents, axis=1, keepdims=True)
        started = time.perf_counter()
        drain_events(run_kmeans(vectors, 16, 3, SEED, device=state.device))
        row["clusters_s"] = round(time.perf_counter() - started, 2)
        for name, count, device in (
            ("neighbours_s", len(vectors), state.device),
            ("neighbours_60000_s", CPU_GRAPH_VECTORS, state.device),
            ("neighbours_60000_cpu_s", CPU_GRAPH_VECTORS, torch.device("cpu")),
        ):
            started = time.perf_counter()
            drain_events(find_neighbours(vectors[:count], 12, SEED, 0, device))
            row[name] = round(time.perf_counter() - started, 2)
        if state.device.type == "cuda":
            row["peak_memory_mb"] = round(torch.cuda.max_memory_allocated() / 1e6)
        self.record("many_images", row)

    def _measure_training(self, state: TrainState, inputs: DeviceImages, config: Config) -> float:
        generator = np.random.default_rng(SEED)
        count = len(inputs)
        labels = PseudoLabels(generator.integers(0, 10, count), generator.random(count, dtype=np.float32))
        image_count, seconds, epoch = 0, 0.0, 0
        while seconds < self.seconds:
            epoch += 1
            for index, report in enumerate(train_epoch(state, inputs, labels, config, epoch)):
                if epoch > 1 or index > 0 or count < RATE_IMAGES:  # the first report includes loading of kernels
                    image_count += count_images(report, config)
                    seconds += report.seconds
                if seconds >= self.seconds:
                    break
        return image_count / seconds

    def _measure_prediction(self, state: TrainState, inputs: DeviceImages, config: Config) -> float:
        """Return the images per second of the faster of two predictions."""
        times = []
        for _ in range(2):
            started = time.perf_counter()
            drain_events(encode_and_classify(state.vae, inputs, config, "test", 1))
            times.append(time.perf_counter() - started)
        return len(inputs) / min(times)


def count_images(report: BatchesTrained, config: Config) -> float:
    return report.images_per_second * report.seconds


def configure(recipe: str, device: str, precision: str) -> Config:
    config = replace(get_recipe(recipe), device=device, precision=precision, seed=SEED)  # type: ignore[arg-type]
    return replace(config, training=replace(config.training, min_batches=1))


def create_state(config: Config, images: Images) -> TrainState:
    state = create_train_state(config, images.shape)
    if isinstance(state.vae, PatchVAE):
        state.vae.fit_to_images(images, SEED)
    return state


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def draw_images(kind: str, count: int) -> NDArray[np.uint8]:
    """Return digits of 28x28 pixels, or enlarged ones of 64x64 in two random colours."""
    digits = read_idx_array(MNIST_DIRECTORY / "train-images-idx3-ubyte.gz", 3)[:count]
    if kind == "28x28 grey":
        return digits
    enlarged = digits.repeat(2, axis=1).repeat(2, axis=2).astype(np.float32) / 255
    shares = np.pad(enlarged, ((0, 0), (4, 4), (4, 4)))[..., None]  # [N, 64, 64, 1]
    colours = np.random.default_rng(SEED).uniform(0, 255, (2, len(digits), 1, 1, 3)).astype(np.float32)
    return (colours[0] * shares + colours[1] * (1 - shares)).astype(np.uint8)


def write_many_images(path: Path, count: int) -> None:
    """Write digits, shifted and with noise, as one .npy file."""
    digits = read_idx_array(MNIST_DIRECTORY / "train-images-idx3-ubyte.gz", 3)
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (count, 28, 28))
    generator = np.random.default_rng(SEED)
    for start in range(0, count, len(digits)):
        part = np.roll(digits[: count - start], tuple(generator.integers(-2, 3, 2)), (1, 2))
        images[start : start + len(part)] = part // 8 * 8 + generator.integers(0, 8, part.shape, np.uint8)
    images.flush()


def main() -> None:
    """Measure the parts."""
    parser = argparse.ArgumentParser(description="Compare the graphics card with the CPU of this machine.")
    parser.add_argument("parts", nargs="*", help="any of: rates, simulation, many; all by default")
    parser.add_argument("--device", default="auto", help="cuda, mps, cpu or auto")
    parser.add_argument("--images", type=int, default=MILLION, help="images of the last part")
    parser.add_argument("--seconds", type=float, default=6.0, help="seconds of each measurement of training")
    parser.add_argument("--output", type=Path, default=RESULTS / "gpu.json", help="file of the results")
    arguments = parser.parse_args()
    malloc.tune_malloc()
    benchmark = Benchmark(arguments.device, arguments.images, arguments.seconds, arguments.output)
    parts = {
        "rates": benchmark.measure_rates,
        "simulation": benchmark.simulate,
        "many": benchmark.use_many_images,
    }
    for name in arguments.parts or parts:
        parts[name]()


if __name__ == "__main__":
    main()

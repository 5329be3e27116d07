"""Measure how accuracy depends on the images per epoch of a large set: python -m tests.benchmarks.epoch_images [SEEDS].

The set is 240,000 augmented digits of MNIST; the test set is that of MNIST. Each run is a simulation with the default
recipe and is saved when it ends, so an interrupted benchmark continues with the missing ones.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.large_dataset import find_true_labels, write_images
from tests.benchmarks.results import load_results, save_results
from tests.idx import MNIST_DIRECTORY, write_idx

IMAGES, ROUNDS = 240_000, 4
EPOCH_IMAGES = (60_000, 120_000, 240_000)
RESULTS_NAME = "epoch_images"


def write_data(directory: Path) -> None:
    """Write images and labels as IDX files."""
    write_images(directory / "images.npy", IMAGES)
    write_idx(directory / "train-images-idx3-ubyte", np.load(directory / "images.npy", mmap_mode="r"))
    write_idx(directory / "train-labels-idx1-ubyte", find_true_labels(IMAGES))
    (directory / "images.npy").unlink()
    for path in MNIST_DIRECTORY.glob("t10k-*"):
        shutil.copy(path, directory)


def simulate(directory: Path, epoch_images: int, seed: int) -> dict[str, Any]:
    """Return accuracies and seconds of a run."""
    command = [sys.executable, "-m", "vaetui", "simulate", "--data", str(directory), "--labels", "--json"]
    options = ["--epoch-images", str(epoch_images), "--rounds", str(ROUNDS), "--seed", str(seed)]
    environment = os.environ | {"VAETUI_HOME": str(directory / "home")}
    process = subprocess.run([*command, *options], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(process.stdout)
    kept = {name: result[name] for name in ("test_accuracy", "label_accuracy", "exported", "answers", "seconds")}
    return {"epoch_images": epoch_images, "seed": seed, **kept}


def main() -> None:
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    runs: list[dict[str, Any]] = load_results(RESULTS_NAME).get("runs", [])
    done = {(run["epoch_images"], run["seed"]) for run in runs}
    with tempfile.TemporaryDirectory(prefix="epochs-", dir=os.environ.get("VAETUI_SCRATCH")) as directory:
        write_data(Path(directory))
        for seed in seeds:
            for epoch_images in EPOCH_IMAGES:
                if (epoch_images, seed) not in done:
                    runs.append(simulate(Path(directory), epoch_images, seed))
                    print(runs[-1], file=sys.stderr, flush=True)
                    save_results(RESULTS_NAME, 0, {"images": IMAGES, "runs": runs})


if __name__ == "__main__":
    main()

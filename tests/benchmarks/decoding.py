"""Measure the import of a folder of images against a plain loop over them: python -m tests.benchmarks.decoding.

Both use two processes and the same files, in turns; the result is the ratio of the medians.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.benchmarks.results import save_results
from tests.idx import MNIST_DIRECTORY
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import import_dataset
from vaetui.engine.images import read_idx_array
from vaetui.runtime.session_runner import drain_events

IMAGES, TURNS = 20_000, 3


def decode(path: Path) -> NDArray[np.uint8]:
    """Decode one image file as a usual script does."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L").resize((28, 28), Image.Resampling.LANCZOS))


def decode_all(paths: list[Path]) -> NDArray[np.uint8]:
    """Decode all files in two processes."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return np.stack(pool.map(decode, paths, chunksize=64))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="decoding-") as directory:
        os.environ["VAETUI_HOME"] = str(Path(directory, "home"))
        root = Path(directory, "images")
        for index, pixels in enumerate(read_idx_array(MNIST_DIRECTORY / "train-images-idx3-ubyte.gz", 3)[:IMAGES]):
            path = root / f"{index % 20:02}" / f"{index:05}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
        paths = sorted(root.rglob("*.png"))
        plain_seconds, import_seconds = [], []
        for _ in range(TURNS):
            start = time.perf_counter()
            expected = decode_all(paths)
            plain_seconds.append(time.perf_counter() - start)
            start = time.perf_counter()
            dataset = drain_events(import_dataset(root, ImportOptions()))
            import_seconds.append(time.perf_counter() - start)
            assert np.array_equal(read_idx_array(dataset.directory / "train-images-idx3-ubyte", 3), expected)
            shutil.rmtree(dataset.directory)
        ratio = statistics.median(plain_seconds) / statistics.median(import_seconds)
        figures = {"pictures": IMAGES, "plain_seconds": plain_seconds, "seconds": import_seconds, "ratio": ratio}
        save_results("decoding", 0, figures)
        print(
            f"{IMAGES:,} PNG files: {ratio:.2f} times the speed of a plain loop ({import_seconds}, {plain_seconds} s)"
        )


if __name__ == "__main__":
    main()

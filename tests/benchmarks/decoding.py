"""How fast a folder of pictures is taken in, against a plain loop over them: python -m tests.benchmarks.decoding.

Both use two processes and the very same files, in turns; what counts is the ratio of the medians.
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

from tests.benchmarks.results import keep
from tests.idx import MNIST
from vaetui.cli.simulate_command import drain
from vaetui.data.import_options import ImportOptions
from vaetui.data.importing import import_dataset
from vaetui.engine.images import read_idx

COUNT, TURNS = 20_000, 3


def decoded(path: Path) -> NDArray[np.uint8]:
    """Decode a picture as it is usually done."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L").resize((28, 28), Image.Resampling.LANCZOS))


def plainly(paths: list[Path]) -> NDArray[np.uint8]:
    """Decode all in two processes."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return np.stack(pool.map(decoded, paths, chunksize=64))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="decoding-") as place:
        os.environ["VAETUI_HOME"] = str(Path(place) / "home")
        root = Path(place) / "pictures"
        for at, pixels in enumerate(read_idx(MNIST / "train-images-idx3-ubyte.gz", 3)[:COUNT]):
            path = root / f"{at % 20:02}" / f"{at:05}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
        paths = sorted(root.rglob("*.png"))
        plain, ours = [], []
        for _ in range(TURNS):
            begun = time.perf_counter()
            expected = plainly(paths)
            plain.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            found = drain(import_dataset(root, ImportOptions()))
            ours.append(time.perf_counter() - begun)
            assert np.array_equal(read_idx(found.directory / "train-images-idx3-ubyte", 3), expected)
            shutil.rmtree(found.directory)
        ratio = statistics.median(plain) / statistics.median(ours)
        told = {"pictures": COUNT, "plain_seconds": plain, "seconds": ours, "ratio": ratio}
        keep("decoding", 0, told)
        print(f"{COUNT:,} PNG files: {ratio:.2f} times as fast as a plain loop ({ours} beside {plain} s)")


if __name__ == "__main__":
    main()

"""Measure the time from `vaetui new` to the first labelling screen for small sets.

python -m tests.benchmarks.first_round CHECKOUT [TURNS] compares this code with another checkout, such as an earlier
commit.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from tests.benchmarks.results import save_results
from tests.data.drawing import INK_COLOURS, load_digits
from tests.terminal import ROOT, ScriptedTerminal

IMAGE_COUNT = 1_500
TURNS = 3
LABELLING_TEXT = "unreadable"
"""A key of the labelling screen that its footer names."""


def main() -> None:
    """Run all sets with every checkout by turns, print the times and save them."""
    checkouts = {"after": ROOT}
    if len(sys.argv) > 1:
        checkouts = {"before": Path(sys.argv[1]).resolve(), **checkouts}
    turn_count = int(sys.argv[2]) if len(sys.argv) > 2 else TURNS
    figures: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as directory:
        write_grey_images(Path(directory, "grey 28x28"))
        write_colour_images(Path(directory, "colour 100x100"))
        for turn in range(turn_count):
            for data in sorted(path for path in Path(directory).iterdir() if "home" not in path.name):
                for version, checkout in checkouts.items():
                    home = Path(directory, f"home-{version}-{turn}-{data.name}")
                    seconds = measure_seconds(checkout, data, home)
                    figures.setdefault(data.name, {}).setdefault(version, []).append(round(seconds, 1))
                    print(f"{data.name}, {version}: {seconds:.1f} s", flush=True)
    medians = {
        name: {version: statistics.median(seconds) for version, seconds in versions.items()}
        for name, versions in figures.items()
    }
    print(medians)
    load = {"load_average": [round(value, 1) for value in os.getloadavg()]}
    save_results("first-round", 0, {"images": IMAGE_COUNT, "turns": figures, "medians": medians} | load)


def measure_seconds(checkout: Path, data: Path, home: Path) -> float:
    """Return the seconds from the start of `vaetui new` to the first labelling screen."""
    start = time.monotonic()
    environment = {"PYTHONPATH": str(checkout), "VAETUI_HOME": str(home)}
    # -P: the module is that of the checkout, not that of the working directory.
    arguments = ["-P", "-m", "vaetui", "new", "first", "--data", str(data), "--seed", "0"]
    terminal = ScriptedTerminal(arguments, (120, 40), environment=environment)
    seconds = terminal.wait_for_text(LABELLING_TEXT, timeout_s=900) - start
    terminal.send(b"q")
    terminal.close()
    return seconds


def write_grey_images(directory: Path) -> None:
    """Write digits of MNIST as grey PNGs."""
    directory.mkdir()
    for index, pixels in enumerate(load_digits(IMAGE_COUNT)[0]):
        Image.fromarray(pixels).save(directory / f"{index:05}.png")


def write_colour_images(directory: Path) -> None:
    """Write digits in one of three colours on dark, noisy grounds as colour PNGs of 100x100 pixels."""
    directory.mkdir()
    rng = np.random.default_rng(0)
    for index, pixels in enumerate(load_digits(IMAGE_COUNT)[0]):
        ink = np.asarray(Image.fromarray(pixels).resize((100, 100), Image.Resampling.BICUBIC))[..., None] / 255
        ground = rng.integers(0, 80, 3) + rng.normal(0, 8, (100, 100, 3))
        colour = INK_COLOURS[index % len(INK_COLOURS)]
        image = np.clip(ground * (1 - ink) + colour * ink, 0, 255).astype(np.uint8)
        Image.fromarray(image).save(directory / f"{index:05}.png")


if __name__ == "__main__":
    main()

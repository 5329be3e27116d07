"""Make a directory of JPEG files of different sizes, cut from ten photographs that may be published.

python -m tests.benchmarks.photograph_crops DIRECTORY [--count N]

The pictures of photographs in the documentation show them. The photographs are those that scikit-image and scikit-learn
ship: in the public domain, under CC0, or (temple and flower) under CC BY 2.0 by danielbuechele and vultilion.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

PHOTOGRAPHS = {
    "astronaut": "skimage/data/astronaut.png",
    "cat": "skimage/data/chelsea.png",
    "coffee": "skimage/data/coffee.png",
    "coins": "skimage/data/coins.png",
    "flower": "sklearn/datasets/images/flower.jpg",
    "galaxies": "skimage/data/hubble_deep_field.jpg",
    "retina": "skimage/data/retina.jpg",
    "rocket": "skimage/data/rocket.jpg",
    "temple": "sklearn/datasets/images/china.jpg",
    "tissue": "skimage/data/ihc.png",
}
"""File of each class, below the directory of installed packages."""
MIN_SHARE, MAX_SHARE = 0.45, 1.0
"""Sides of a cut, as shares of those of the photograph."""
MIN_SIDE_PX, MAX_SIDE_PX = 60, 400
"""Shorter side of a JPEG file."""


def cut(photograph: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Return a random part of a photograph, resized, mirrored or not, and lighter or darker."""
    width, height = (round(side * generator.uniform(MIN_SHARE, MAX_SHARE)) for side in photograph.size)
    left = int(generator.integers(0, photograph.width - width + 1))
    top = int(generator.integers(0, photograph.height - height + 1))
    part = photograph.crop((left, top, left + width, top + height))
    scale = int(generator.integers(MIN_SIDE_PX, MAX_SIDE_PX)) / min(part.size)
    part = part.resize((round(part.width * scale), round(part.height * scale)))
    part = ImageOps.mirror(part) if generator.random() < 0.5 else part
    return ImageEnhance.Brightness(part).enhance(generator.uniform(0.7, 1.3))


def write_photographs(directory: Path, count: int) -> None:
    """Write JPEG files, and their classes to a table beside the directory."""
    specification = importlib.util.find_spec("skimage")
    assert specification is not None, "install the extra dev"
    assert specification.origin is not None
    packages = Path(specification.origin).parents[1]
    photographs = {name: Image.open(packages / file_name).convert("RGB") for name, file_name in PHOTOGRAPHS.items()}
    generator = np.random.default_rng(0)
    directory.mkdir(parents=True)
    with directory.with_suffix(".csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "class"])
        for index in range(count):
            name = str(generator.choice(list(PHOTOGRAPHS)))
            file_name = f"IMG_{index:04}.jpg"
            cut(photographs[name], generator).save(directory / file_name, quality=int(generator.integers(60, 95)))
            table.writerow([file_name, name])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--count", type=int, default=2_000)
    arguments = parser.parse_args()
    write_photographs(arguments.directory, arguments.count)

"""Labelled sets that a recipe is tried on, as directories of IDX files; it does not know recipes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.datasets import load_digits

from tests.idx import MNIST, write_idx
from vaetui.engine.images import read_idx

FASHION = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts its files."""
SHARES = (0.30, 0.18, 0.13, 0.10, 0.08, 0.07, 0.06, 0.04, 0.03, 0.01)
"""Of the classes in the imbalanced set."""
IMBALANCED = 20_000
"""Images in it."""
COLOURED = 20_000
"""Images to be labelled in the coloured set."""


def find(name: str, place: Path) -> Path:
    """Give the directory of a set, made in `place` where nobody ships it."""
    if name == "mnist":
        return MNIST
    if name == "fashion":
        return FASHION
    made = place / name
    if not made.exists():
        made.mkdir(parents=True)
        {"digits": _digits, "imbalanced": _imbalanced, "coloured": _coloured}.get(name, _grown)(made)
    return made


def _digits(made: Path) -> None:
    digits = load_digits()
    images, labels = (digits.images * 255 / 16).astype(np.uint8), digits.target.astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(images))
    tested = len(images) // 5
    _write(made, "t10k", images[order[:tested]], labels[order[:tested]])
    _write(made, "train", images[order[tested:]], labels[order[tested:]])


def _imbalanced(made: Path) -> None:
    images, labels = part(MNIST, "train")
    draw = np.random.default_rng(1)
    kinds = draw.permutation(10)
    chosen = [
        draw.choice(at := np.flatnonzero(labels == kind), min(len(at), round(share * IMBALANCED)), replace=False)
        for kind, share in zip(kinds, SHARES, strict=True)
    ]
    order = draw.permutation(np.concatenate(chosen))
    _write(made, "train", images[order], labels[order])
    _write(made, "t10k", *part(MNIST, "t10k"))


def _coloured(made: Path) -> None:
    """Draw digits with any bright ink on any dark ground, which tell nothing of their classes."""
    draw = np.random.default_rng(3)
    for stem, count in (("train", COLOURED), ("t10k", 10_000)):
        images, labels = part(MNIST, stem)
        inks, grounds = (draw.integers(least, least + 128, (count, 1, 1, 3)) for least in (128, 0))
        shares = images[:count, ..., None] / 255
        mixed = (shares * inks + (1 - shares) * grounds).round().astype(np.uint8)
        write_idx(made / f"{stem}-images-idx4-ubyte", mixed)
        write_idx(made / f"{stem}-labels-idx1-ubyte", labels[:count])


def _grown(made: Path) -> None:
    """Take so many images of MNIST as the name of the directory says, more than there are by small turns and shifts."""
    images, labels = part(MNIST, "train")
    count, draw = int(made.name), np.random.default_rng(2)
    more = [images]
    for _ in range(-(-count // len(images)) - 1):
        turned = ndimage.rotate(images, draw.uniform(-8, 8), axes=(1, 2), reshape=False, order=1)
        more.append(np.roll(turned, draw.integers(-1, 2, 2), axis=(1, 2)))
    order = draw.permutation(len(images) * len(more))[:count]
    _write(made, "train", np.concatenate(more)[order], np.tile(labels, len(more))[order])
    _write(made, "t10k", *part(MNIST, "t10k"))


def part(place: Path, stem: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Give images and labels of the part of a set, "train" or "t10k"."""
    end = ".gz" if (place / f"{stem}-labels-idx1-ubyte.gz").exists() else ""
    return read_idx(place / f"{stem}-images-idx3-ubyte{end}", 3), read_idx(place / f"{stem}-labels-idx1-ubyte{end}", 1)


def _write(made: Path, stem: str, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    write_idx(made / f"{stem}-images-idx3-ubyte", images)
    write_idx(made / f"{stem}-labels-idx1-ubyte", labels)

"""True labels, in a type that no learning code takes: they draw the split and measure, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Indices
from vaetui.engine.images import read_idx
from vaetui.errors import Trouble


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The true class of each image."""

    classes: NDArray[np.uint8]
    """[N], from 0."""


def read_truth(path: Path, count: int) -> Truth:
    """Read the true classes of `count` images from an IDX file.

    Raises Trouble for what `read_idx` refuses and for another count.
    """
    classes = read_idx(path, 1)
    if len(classes) != count:
        raise Trouble(f"{path} holds {len(classes):,} labels for {count:,} images; they do not belong together.")
    return Truth(classes)


def hold_out(count: int, wanted: int, truth: Truth | None, draw: np.random.Generator) -> tuple[Indices, Indices]:
    """Draw the images that are held out, stratified by class where the truth is known (paper, section 3.2).

    Gives the indices of `count` images to train on and of the `wanted` ones held out, both ascending. Every class
    gets its share rounded down, and the classes with the largest remainders one more.
    """
    order = draw.permutation(count)
    if truth is None:
        held = order[:wanted]
    else:
        kinds, sizes = np.unique(truth.classes, return_counts=True)
        shares = sizes * wanted / count
        quotas = np.floor(shares).astype(int)
        largest = np.argsort(quotas - shares, kind="stable")[: wanted - quotas.sum()]
        quotas[largest] += 1
        shuffled = truth.classes[order]
        held = np.concatenate([order[shuffled == kind][:quota] for kind, quota in zip(kinds, quotas, strict=True)])
    chosen = np.zeros(count, dtype=bool)
    chosen[held] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)

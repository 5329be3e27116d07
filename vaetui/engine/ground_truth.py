"""True labels, in a type that no learning code takes: they draw the split and measure, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.clusters import Indices
from vaetui.engine.images import read_idx
from vaetui.errors import UserError


@dataclass(frozen=True, slots=True, eq=False)
class TrueLabels:
    """The true class of each image."""

    class_ids: NDArray[np.uint8]
    """[N], from 0."""


def read_true_labels(path: Path, image_count: int) -> TrueLabels:
    """Read the true classes of `count` images from an IDX file.

    Raises Trouble for what `read_idx` refuses and for another count.
    """
    classes = read_idx(path, 1)
    if len(classes) != image_count:
        raise UserError(
            f"{path} holds {len(classes):,} labels for {image_count:,} images; they do not belong together."
        )
    return TrueLabels(classes)


def stratified_split(
    image_count: int, validation_count: int, true_labels: TrueLabels | None, generator: np.random.Generator
) -> tuple[Indices, Indices]:
    """Draw the images that are held out, stratified by class where the truth is known (paper, section 3.2).

    Gives the indices of `count` images to train on and of the `wanted` ones held out, both ascending. Every class
    gets its share rounded down, and the classes with the largest remainders one more.
    """
    order = generator.permutation(image_count)
    if true_labels is None:
        held = order[:validation_count]
    else:
        kinds, sizes = np.unique(true_labels.class_ids, return_counts=True)
        shares = sizes * validation_count / image_count
        quotas = np.floor(shares).astype(int)
        largest = np.argsort(quotas - shares, kind="stable")[: validation_count - quotas.sum()]
        quotas[largest] += 1
        shuffled = true_labels.class_ids[order]
        held = np.concatenate([order[shuffled == kind][:quota] for kind, quota in zip(kinds, quotas, strict=True)])
    chosen = np.zeros(image_count, dtype=bool)
    chosen[held] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)

"""One label per training image, from the answers or else the classifier; it does not know file formats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from vaetui.engine.answers import Path
from vaetui.engine.clusters import Indices, Tree, leaves
from vaetui.engine.latents import Reading
from vaetui.engine.weights import Weights
from vaetui.store.clusterings import Division

Source: TypeAlias = Literal["answer", "classifier"]


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one training image."""

    index: int
    """Its place in the file of the training images, from 0."""
    label: int
    """Its class."""
    confidence: float
    """The weight that an answer gives it (eq. 2), or the classifier's probability; from 0 to 1."""
    source: Source
    """Whether an answer to its cluster says so, or the classifier."""
    path: Path | None
    """Its cluster in the last round; None for an image that was not asked about, or held out."""


def rows(tree: Tree, said: Weights, train: Reading, held_out: Reading, division: Division) -> list[Row]:
    """List every training image in the order of the file.

    `tree` holds the clusters of the last round, `said` what answers say of images themselves; `train` and `held_out`
    are what the networks make of the two parts that `division` names.
    """
    answered = said.weights > 0
    labels = np.where(answered, said.labels, train.predicted)
    confidences = np.where(answered, said.weights, train.certainty)
    paths: dict[int, Path] = {}
    for cluster in leaves(tree):
        paths.update(dict.fromkeys(division.train[cluster.members].tolist(), cluster.path))
    known = [
        Row(index, label, confidence, "answer" if said else "classifier", paths.get(index))
        for index, label, confidence, said in zip(
            division.train.tolist(), labels.tolist(), confidences.tolist(), answered.tolist(), strict=True
        )
    ]
    guessed = [
        Row(index, label, confidence, "classifier", None)
        for index, label, confidence in _each(division.validation, held_out)
    ]
    return sorted(known + guessed, key=lambda row: row.index)


def _each(indices: Indices, reading: Reading) -> list[tuple[int, int, float]]:
    return list(zip(indices.tolist(), reading.predicted.tolist(), reading.certainty.tolist(), strict=True))

"""One label per training image, from the answers or else the classifier; it does not know file formats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from vaetui.engine.answers import Path
from vaetui.engine.clusters import Indices, leaves
from vaetui.engine.latents import Reading
from vaetui.session.labelling import Labelling
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
    """Its cluster in the last round; None for an image that was held out."""


def rows(labelling: Labelling, train: Reading, held_out: Reading, division: Division) -> list[Row]:
    """List every training image in the order of the file.

    `train` and `held_out` are what the networks make of the two parts that `division` names.
    """
    weights = labelling.weights()
    answered = weights.weights > 0
    labels = np.where(answered, weights.labels, train.predicted)
    confidences = np.where(answered, weights.weights, train.certainty)
    paths: dict[int, Path] = {}
    for cluster in leaves(labelling.tree):
        paths.update(dict.fromkeys(division.train[cluster.members].tolist(), cluster.path))
    known = [
        Row(index, label, confidence, "answer" if said else "classifier", paths[index])
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

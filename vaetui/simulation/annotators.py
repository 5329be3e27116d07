"""Who looks at a cluster and has an opinion of it; they do not know budgets, splits or sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vaetui.engine import rng
from vaetui.engine.answers import Label
from vaetui.engine.clusters import Indices, Pixels
from vaetui.engine.ground_truth import Truth
from vaetui.session.views import SHOWN
from vaetui.simulation.reader_network import Reader


@dataclass(frozen=True, slots=True)
class Opinion:
    """What an annotator makes of one cluster."""

    label: int
    """The class that it shows."""
    share: float
    """How sure that is, from 0 to 1."""


class Annotator(Protocol):
    """Looks at a decoded centre and at its nearest members."""

    members: int
    """How many members are looked at, besides the centre."""

    def judge(self, picture: Pixels, nearest: Indices) -> Opinion:
        """Have an opinion of a decoded centre [H, W] and of the training images at those places, [<= members]."""
        ...


class CentreAnnotator:
    """Reads the decoded centre alone: the paper's protocol."""

    members = 0

    def __init__(self, reader: Reader) -> None:
        """Read with that network."""
        self._reader = reader

    def judge(self, picture: Pixels, nearest: Indices) -> Opinion:
        """Read the centre."""
        opinions = self._reader.read(picture[None])
        return Opinion(int(opinions.classes[0]), float(opinions.certainty[0]))


class MembersAnnotator:
    """Recognises the nearest members, and says what most of them are."""

    members = SHOWN

    def __init__(self, truth: Truth) -> None:
        """Know the true classes of the training images, of which only those shown are looked up."""
        self._truth = truth

    def judge(self, picture: Pixels, nearest: Indices) -> Opinion:
        """Count the classes of the members."""
        kinds, counts = np.unique(self._truth.classes[nearest], return_counts=True)
        most = int(counts.argmax())
        return Opinion(int(kinds[most]), float(counts[most] / len(nearest)))


class Fingers:
    """Hit a wrong key now and then."""

    def __init__(self, classes: int, error_rate: float, seed: int) -> None:
        """Type a wrong class with that probability, drawn from the seed."""
        self._classes = classes
        self._error_rate = error_rate
        self._seed = seed
        self._typed = 0

    def type(self, opinion: Opinion) -> Label:
        """Type an opinion: its class, or now and then another, and its share in tenths."""
        self._typed += 1
        draw = rng.generator(self._seed, "wrong key", self._typed)
        label = opinion.label
        if draw.random() < self._error_rate:
            label = (label + int(draw.integers(1, self._classes))) % self._classes
        return Label(label, max(round(opinion.share, 1), 0.1))

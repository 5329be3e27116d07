"""Who looks at a cluster and has an opinion of it; they do not know budgets, splits or sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vaetui.engine import rng
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.clusters import Indices, Pixels
from vaetui.engine.ground_truth import TrueLabels
from vaetui.session.views import SHOWN_MEMBERS
from vaetui.simulation.reader_network import ReaderNetwork


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an annotator makes of one cluster."""

    class_id: int
    """The class that it shows."""
    confidence: float
    """How sure that is, from 0 to 1."""


class Annotator(Protocol):
    """Looks at a decoded centre and at its nearest members."""

    member_count: int
    """How many members are looked at, besides the centre."""

    def judge(self, centre_image: Pixels, member_indices: Indices) -> Judgement:
        """Have an opinion of a decoded centre [H, W] and of the training images at those places, [<= members]."""
        ...


class CentreAnnotator:
    """Reads the decoded centre alone: the paper's protocol."""

    member_count = 0

    def __init__(self, reader: ReaderNetwork) -> None:
        """Read with that network."""
        self._reader = reader

    def judge(self, centre_image: Pixels, member_indices: Indices) -> Judgement:
        """Read the centre."""
        opinions = self._reader.predict(centre_image[None])
        return Judgement(int(opinions.class_ids[0]), float(opinions.confidences[0]))


class MembersAnnotator:
    """Recognises the nearest members, and says what most of them are."""

    member_count = SHOWN_MEMBERS

    def __init__(self, true_labels: TrueLabels) -> None:
        """Know the true classes of the training images, of which only those shown are looked up."""
        self._true_labels = true_labels

    def judge(self, centre_image: Pixels, member_indices: Indices) -> Judgement:
        """Count the classes of the members."""
        kinds, counts = np.unique(self._true_labels.class_ids[member_indices], return_counts=True)
        most = int(counts.argmax())
        return Judgement(int(kinds[most]), float(counts[most] / len(member_indices)))


class LabelNoise:
    """Hit a wrong key now and then."""

    def __init__(self, class_count: int, error_rate: float, seed: int) -> None:
        """Type a wrong class with that probability, drawn from the seed."""
        self._class_count = class_count
        self._error_rate = error_rate
        self._seed = seed
        self._answer_count = 0

    def make_answer(self, judgement: Judgement) -> ClassAnswer:
        """Type an opinion: its class, or now and then another, and its share in tenths."""
        self._answer_count += 1
        draw = rng.derive_generator(self._seed, "wrong key", self._answer_count)
        label = judgement.class_id
        if draw.random() < self._error_rate:
            label = (label + int(draw.integers(1, self._class_count))) % self._class_count
        return ClassAnswer(label, max(round(judgement.confidence, 1), 0.1))

"""Annotators that judge the class of a cluster, and label noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vaetui.engine import rng
from vaetui.engine.answers import ClassAnswer
from vaetui.engine.classes import NO_LABEL
from vaetui.engine.clusters import Indices, Pixels
from vaetui.engine.true_labels import TrueLabels
from vaetui.session.views import SHOWN_MEMBERS
from vaetui.simulation.reader_network import ReaderNetwork


@dataclass(frozen=True, slots=True)
class Judgement:
    """The judgement of an annotator on one cluster."""

    class_id: int
    """The most likely class."""
    confidence: float
    """The confidence in it, from 0 to 1."""


class Annotator(Protocol):
    """Judges a cluster by its decoded centre and its nearest members."""

    member_count: int
    """Number of members that the annotator looks at."""

    def judge(self, centre_image: Pixels, member_indices: Indices) -> Judgement:
        """Judge a decoded centre [H, W] and the training images with these indices, [<= member_count]."""
        ...


class CentreAnnotator:
    """Reads the decoded centre alone, as in the paper's protocol."""

    member_count = 0

    def __init__(self, reader: ReaderNetwork) -> None:
        """Read centres with `reader`."""
        self._reader = reader

    def judge(self, centre_image: Pixels, member_indices: Indices) -> Judgement:
        """Return the prediction of the reader network for the centre."""
        predictions = self._reader.predict(centre_image[None])
        return Judgement(int(predictions.class_ids[0]), float(predictions.confidences[0]))


class MembersAnnotator:
    """Returns the majority class of the nearest members."""

    member_count = SHOWN_MEMBERS

    def __init__(self, true_labels: TrueLabels) -> None:
        """Look up the members in the true labels of the training images."""
        self._true_labels = true_labels

    def judge(self, centre_image: Pixels, member_indices: Indices) -> Judgement:
        """Return the most frequent class among the labelled members and its fraction of them.

        The confidence is 0 if none of them has a label.
        """
        member_class_ids = self._true_labels.class_ids[member_indices]
        labelled_class_ids = member_class_ids[member_class_ids != NO_LABEL]
        if not len(labelled_class_ids):
            return Judgement(0, 0.0)
        class_ids, counts = np.unique(labelled_class_ids, return_counts=True)
        majority_index = int(counts.argmax())
        return Judgement(int(class_ids[majority_index]), float(counts[majority_index] / len(labelled_class_ids)))


class LabelNoise:
    """Turns judgements into answers and checks, some of which name a wrong class."""

    def __init__(self, class_count: int, error_rate: float, seed: int, earlier_answers: int = 0) -> None:
        """Name a wrong class with probability `error_rate`; the seed determines which answers and checks are wrong.

        The first answer and check follow `earlier_answers` others.
        """
        self._class_count = class_count
        self._error_rate = error_rate
        self._seed = seed
        self._answer_count = self._check_count = earlier_answers

    def apply_noise(self, judgement: Judgement) -> ClassAnswer:
        """Return the answer for a judgement, with its confidence rounded to tenths and at least 0.1."""
        self._answer_count += 1
        class_id = self._confuse(judgement.class_id, "wrong key", self._answer_count)
        return ClassAnswer(class_id, max(round(judgement.confidence, 1), 0.1))

    def check_image(self, class_id: int) -> int:
        """Return the class that the annotator sees in an image of a class."""
        self._check_count += 1
        return self._confuse(class_id, "wrong check", self._check_count)

    def _confuse(self, class_id: int, purpose: str, number: int) -> int:
        generator = rng.derive_generator(self._seed, purpose, number)
        if generator.random() < self._error_rate:
            return (class_id + int(generator.integers(1, self._class_count))) % self._class_count
        return class_id


class ImageChecker:
    """Names the classes of single images by their true labels, with noise."""

    def __init__(self, true_labels: TrueLabels, label_noise: LabelNoise) -> None:
        """Look up the images in the true labels of all images of a session."""
        self._true_labels = true_labels
        self._label_noise = label_noise

    def find_checkable(self, image_indices: Indices) -> NDArray[np.bool_]:
        """Return which of these images of the data set have a true label, [M]."""
        return self._true_labels.is_labelled[image_indices]

    def check(self, image_index: int) -> int:
        """Return the class that the annotator sees in an image of the data set, which has a true label."""
        return self._label_noise.check_image(int(self._true_labels.class_ids[image_index]))

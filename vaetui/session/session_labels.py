"""The true classes of a session's images, for those who measure or stand in for a person; nothing learns from them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.classes import ClassList
from vaetui.engine.ground_truth import TrueLabels, read_true_labels
from vaetui.engine.idx import IdxFiles
from vaetui.engine.metrics import accuracy
from vaetui.session.data_split import SessionImages


class SessionLabels:
    """Each is read when somebody first asks, is None where there are no labels, and may raise Trouble.

    Of classes that were merged it tells what they count as now.
    """

    def __init__(self, files: IdxFiles, images: SessionImages, get_classes: Callable[[], ClassList]) -> None:
        """Know the files of those images; those of the test are looked at now. `classes` tells what there are."""
        self._files = files
        self._images = images
        self._get_classes = get_classes
        tested = self._files.test_labels if images.test else None
        self._raw_test = read_true_labels(tested, len(images.test)) if images.test and tested else None

    @property
    def test(self) -> TrueLabels | None:
        """Of the images that only measure."""
        return self._canonical(self._raw_test)

    @property
    def test_scorer(self) -> Callable[[NDArray[np.uint8]], float] | None:
        """Gives the share of the test images that have the classes, [N], found for them."""
        truth = self.test
        return None if truth is None else lambda found: accuracy(found, truth)

    @property
    def train(self) -> TrueLabels | None:
        """Of the images trained on."""
        return TrueLabels(self.all.class_ids[self._images.train_val_split.train_indices]) if self.all else None

    @property
    def validation(self) -> TrueLabels | None:
        """Of those held out."""
        return TrueLabels(self.all.class_ids[self._images.train_val_split.validation_indices]) if self.all else None

    @property
    def all(self) -> TrueLabels | None:
        """Of all training images, in the order of their file."""
        return self._canonical(self._raw_all)

    @cached_property
    def _raw_all(self) -> TrueLabels | None:
        count = len(self._images.train) + len(self._images.validation)
        return read_true_labels(self._files.train_labels, count) if self._files.train_labels else None

    def _canonical(self, true_labels: TrueLabels | None) -> TrueLabels | None:
        """Give each class as what it counts as; labels may name more of them than the session has."""
        roots = self._get_classes().canonical
        table = np.array([*roots, *range(len(roots), 256)], np.uint8)
        return TrueLabels(table[true_labels.class_ids]) if true_labels else None

"""The true classes of a session's images, for those who measure or stand in for a person; nothing learns from them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.classes import Classes
from vaetui.engine.ground_truth import Truth, read_truth
from vaetui.engine.idx import IdxFiles
from vaetui.engine.metrics import accuracy
from vaetui.session.data_split import Data


class Truths:
    """Each is read when somebody first asks, is None where there are no labels, and may raise Trouble.

    Of classes that were merged it tells what they count as now.
    """

    def __init__(self, found: IdxFiles, data: Data, classes: Callable[[], Classes]) -> None:
        """Know the files of those images; those of the test are looked at now. `classes` tells what there are."""
        self._found = found
        self._data = data
        self._classes = classes
        tested = self._found.test_labels if data.test else None
        self._test = read_truth(tested, len(data.test)) if data.test and tested else None

    @property
    def test(self) -> Truth | None:
        """Of the images that only measure."""
        return self._counted(self._test)

    @property
    def judge(self) -> Callable[[NDArray[np.uint8]], float] | None:
        """Gives the share of the test images that have the classes, [N], found for them."""
        truth = self.test
        return None if truth is None else lambda found: accuracy(found, truth)

    @property
    def train(self) -> Truth | None:
        """Of the images trained on."""
        return Truth(self.all.classes[self._data.division.train]) if self.all else None

    @property
    def validation(self) -> Truth | None:
        """Of those held out."""
        return Truth(self.all.classes[self._data.division.validation]) if self.all else None

    @property
    def all(self) -> Truth | None:
        """Of all training images, in the order of their file."""
        return self._counted(self._all)

    @cached_property
    def _all(self) -> Truth | None:
        count = len(self._data.train) + len(self._data.validation)
        return read_truth(self._found.train_labels, count) if self._found.train_labels else None

    def _counted(self, truth: Truth | None) -> Truth | None:
        """Give each class as what it counts as; labels may name more of them than the session has."""
        roots = self._classes().roots
        table = np.array([*roots, *range(len(roots), 256)], np.uint8)
        return Truth(table[truth.classes]) if truth else None

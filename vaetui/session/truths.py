"""The true classes of a session's images, for those who measure or stand in for a person; nothing learns from them."""

from __future__ import annotations

from functools import cached_property, partial

from vaetui.engine.idx import IdxFiles
from vaetui.engine.metrics import accuracy
from vaetui.engine.truth import Truth, read_truth
from vaetui.session.data import Data


class Truths:
    """Each is read when somebody first asks, is None where there are no labels, and may raise Trouble."""

    def __init__(self, found: IdxFiles, data: Data) -> None:
        """Know the files of those images; those of the test are looked at now."""
        self._found = found
        self._data = data
        tested = self._found.test_labels if data.test else None
        self.test = read_truth(tested, len(data.test)) if data.test and tested else None
        """Of the images that only measure."""
        self.judge = partial(accuracy, truth=self.test) if self.test else None
        """Gives the share of the test images that have the classes, [N], found for them."""

    @cached_property
    def train(self) -> Truth | None:
        """Of the images trained on."""
        return Truth(self.all.classes[self._data.division.train]) if self.all else None

    @cached_property
    def validation(self) -> Truth | None:
        """Of those held out."""
        return Truth(self.all.classes[self._data.division.validation]) if self.all else None

    @cached_property
    def all(self) -> Truth | None:
        """Of all training images, in the order of their file."""
        count = len(self._data.train) + len(self._data.validation)
        return read_truth(self._found.train_labels, count) if self._found.train_labels else None

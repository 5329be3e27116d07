"""True labels of a session's images, for evaluation and simulated annotators only; never for training."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.classes import NO_LABEL, ClassList
from vaetui.engine.idx import IdxFiles
from vaetui.engine.metrics import accuracy
from vaetui.engine.true_labels import TrueLabels, read_true_labels
from vaetui.session.data_split import SessionImages


class SessionTrueLabels:
    """True labels by subset; merged classes are replaced by their targets.

    A property is None if no image of the subset has a label; reading damaged files raises UserError.
    """

    def __init__(self, files: IdxFiles, images: SessionImages, get_classes: Callable[[], ClassList]) -> None:
        """Read the test labels now and the training labels on first use."""
        self._files = files
        self._images = images
        self._get_classes = get_classes
        self._raw_test_labels = None
        if images.test and files.test_labels:
            self._raw_test_labels = read_true_labels(files.test_labels, len(images.test))

    @property
    def test_labels(self) -> TrueLabels | None:
        """Labels of the test images."""
        return self._merge_classes(self._raw_test_labels)

    @property
    def test_scorer(self) -> Callable[[NDArray[np.uint8]], float] | None:
        """Function from predicted classes of the test images, [N], to their accuracy."""
        true_labels = self.test_labels
        return None if true_labels is None else lambda predicted: accuracy(predicted, true_labels)

    @property
    def train_labels(self) -> TrueLabels | None:
        """Labels of the training images."""
        return self._select_labels(self._images.train_val_split.train_indices)

    @property
    def validation_labels(self) -> TrueLabels | None:
        """Labels of the validation images."""
        return self._select_labels(self._images.train_val_split.validation_indices)

    @property
    def train_validation_labels(self) -> TrueLabels | None:
        """Labels of training and validation images, in file order."""
        return self._merge_classes(self._raw_train_validation_labels)

    @cached_property
    def _raw_train_validation_labels(self) -> TrueLabels | None:
        count = len(self._images.train) + len(self._images.validation)
        return read_true_labels(self._files.train_labels, count) if self._files.train_labels else None

    def _select_labels(self, indices: NDArray[np.int64]) -> TrueLabels | None:
        true_labels = self.train_validation_labels
        return _none_if_unlabelled(TrueLabels(true_labels.class_ids[indices])) if true_labels else None

    def _merge_classes(self, true_labels: TrueLabels | None) -> TrueLabels | None:
        """Replace merged classes by their targets; labels may contain more classes than the session."""
        if true_labels is None:
            return None
        canonical = self._get_classes().canonical
        canonical_ids = np.array([*canonical, *range(len(canonical), NO_LABEL + 1)], np.uint8)
        return _none_if_unlabelled(TrueLabels(canonical_ids[true_labels.class_ids]))


def require_matching_labels(files: IdxFiles, train_count: int, test_count: int) -> None:
    """Raise UserError if a label file is damaged or has another number of labels than there are images."""
    if files.train_labels:
        read_true_labels(files.train_labels, train_count)
    if files.test_images and files.test_labels:
        read_true_labels(files.test_labels, test_count)


def _none_if_unlabelled(true_labels: TrueLabels) -> TrueLabels | None:
    return true_labels if true_labels.is_labelled.any() else None

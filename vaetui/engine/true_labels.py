"""True labels, in a type of their own that learning code does not accept.

They are used to stratify the split and to measure accuracy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.classes import NO_LABEL
from vaetui.engine.clusters import Indices
from vaetui.engine.images import read_idx_array
from vaetui.errors import UserError, format_count


@dataclass(frozen=True, slots=True, eq=False)
class TrueLabels:
    """True classes of images."""

    class_ids: NDArray[np.uint8]
    """Classes from 0, [N]; NO_LABEL for images without a label."""

    @property
    def is_labelled(self) -> NDArray[np.bool_]:
        """Whether each image has a label, [N]."""
        is_labelled: NDArray[np.bool_] = self.class_ids != NO_LABEL
        return is_labelled


def read_true_labels(path: Path, image_count: int) -> TrueLabels:
    """Return the true labels in an IDX file.

    Raises UserError as `read_idx_array` does, or if there are not `image_count` labels.
    """
    class_ids = read_idx_array(path, 1)
    if len(class_ids) != image_count:
        raise UserError(
            f"{path} has {format_count(len(class_ids), 'label')} for {format_count(image_count, 'image')}. "
            "Use the label file of these images."
        )
    return TrueLabels(class_ids)


def split_train_validation(
    image_count: int, validation_count: int, true_labels: TrueLabels | None, generator: np.random.Generator
) -> tuple[Indices, Indices]:
    """Return indices of training and of `validation_count` validation images, both ascending (paper, section 3.2).

    With true labels the split is stratified: each class gets its proportion rounded down, and the classes with the
    largest remainders one more image. Images without a label count as a class.
    """
    order = generator.permutation(image_count)
    if true_labels is None:
        validation = order[:validation_count]
    else:
        class_ids, class_sizes = np.unique(true_labels.class_ids, return_counts=True)
        proportions = class_sizes * validation_count / image_count
        quotas = np.floor(proportions).astype(int)
        largest_remainder_indices = np.argsort(quotas - proportions, kind="stable")[: validation_count - quotas.sum()]
        quotas[largest_remainder_indices] += 1
        shuffled_class_ids = true_labels.class_ids[order]
        class_quotas = zip(class_ids, quotas, strict=True)
        validation = np.concatenate([order[shuffled_class_ids == class_id][:quota] for class_id, quota in class_quotas])
    is_validation = np.zeros(image_count, dtype=bool)
    is_validation[validation] = True
    return np.flatnonzero(~is_validation), np.flatnonzero(is_validation)

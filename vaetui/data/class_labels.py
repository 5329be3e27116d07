"""Validate class names and encode labels as class ids."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.classes import MAX_CLASSES
from vaetui.errors import UserError

MAX_IMPORTED_NAME_CHARS = 40
"""Maximum length of an imported class name."""
DIGIT_NAMES = tuple("0123456789")


def read_class_names(text_or_path: str) -> tuple[str, ...]:
    """Return the class names of a comma-separated list, or of a file with one name per line.

    Raises UserError if the file is unreadable or the names are too few, too many, too long, duplicate or unprintable.
    """
    try:
        is_file = os.path.isfile(text_or_path)  # unlike Path.is_file, False also for a text that is too long
        items = Path(text_or_path).read_text("utf-8-sig").splitlines() if is_file else text_or_path.split(",")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{text_or_path} cannot be read as a list of class names ({error}).") from error
    return validate_class_names(tuple(item.strip() for item in items if item.strip()), "--classes")


def validate_class_names(class_names: Sequence[str], source: str) -> tuple[str, ...]:
    """Return the names as a tuple; raises UserError, naming `source`, for a wrong count, invalid or equal names."""
    if not 2 <= len(class_names) <= MAX_CLASSES:
        raise UserError(f"{source} needs 2 to {MAX_CLASSES} names; got {len(class_names)}.")
    for name in class_names:
        if len(name) > MAX_IMPORTED_NAME_CHARS or not name.isprintable():
            raise UserError(
                f"{name[:MAX_IMPORTED_NAME_CHARS]!r} is not a valid class name. Use up to "
                f"{MAX_IMPORTED_NAME_CHARS} printable characters."
            )
        if list(class_names).count(name) > 1:
            raise UserError(f"{source} has two classes named {name}. Use different names.")
    return tuple(class_names)


def encode_labels(
    labels: Sequence[str], class_names: tuple[str, ...] | None, source: str
) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
    """Return the class names, and each label as its index among them, [N].

    Without class names, labels that are all digits mean the classes 0 to 9; other labels become the class names. With
    class names, labels may also be indices of them. Raises UserError if a label is not among the classes, or there are
    too many different ones; the message names `source`.
    """
    distinct_labels = sorted(set(labels), key=lambda label: (int(label) if label.isdecimal() else -1, label))
    if class_names is None:
        is_digits = set(distinct_labels) <= set(DIGIT_NAMES)
        class_names = DIGIT_NAMES if is_digits else validate_class_names(distinct_labels, f"The labels of {source}")
    class_ids = {name: class_id for class_id, name in enumerate(class_names)}
    index_names = {str(class_id): class_id for class_id in range(len(class_names))}
    if set(distinct_labels) <= set(index_names) and not set(distinct_labels) <= set(class_ids):
        class_ids = index_names
    unknown = next((label for label in distinct_labels if label not in class_ids), None)
    if unknown is not None:
        raise UserError(
            f"{source} contains the label {unknown!r}, which is not among the classes {', '.join(class_names)}. "
            "Add it to --classes, or omit --labels."
        )
    return class_names, np.array([class_ids[label] for label in labels], np.uint8)

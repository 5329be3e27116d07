"""Classes by their names, and labels as places among them; it does not know images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.classes import MAX_CLASSES
from vaetui.errors import UserError

MAX_NAME_CHARS = 40
"""Letters in a name."""
DIGIT_NAMES = tuple("0123456789")


def read_class_names(text_or_path: str) -> tuple[str, ...]:
    """Give the names in a list with commas, or in a file with one a line.

    Raises Trouble for fewer than two, too many, equal or unprintable ones.
    """
    try:
        listed = (
            Path(text_or_path).read_text(encoding="utf-8-sig").splitlines()
            if _is_file(text_or_path)
            else text_or_path.split(",")
        )
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{text_or_path} cannot be read as a list of classes ({error}).") from error
    names = tuple(name.strip() for name in listed if name.strip())
    return validate_class_names(names, "--classes")


def validate_class_names(class_names: Sequence[str], source: str) -> tuple[str, ...]:
    """Give names of classes back if they can be such, else raise Trouble."""
    if not 2 <= len(class_names) <= MAX_CLASSES:
        raise UserError(f"{source} has {len(class_names)} classes; from 2 to {MAX_CLASSES} can be told apart.")
    for name in class_names:
        if len(name) > MAX_NAME_CHARS or not name.isprintable():
            raise UserError(
                f"{name[:MAX_NAME_CHARS]!r} cannot name a class; up to {MAX_NAME_CHARS} printable letters can."
            )
        if list(class_names).count(name) > 1:
            raise UserError(f"{source} has two classes named {name}; give each its own name.")
    return tuple(class_names)


def encode_labels(
    labels: Sequence[str], class_names: tuple[str, ...] | None, source: str
) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
    """Give the names of the classes, and each label as its place among them, [N].

    Labels that are numbers from 0 to 9 mean these, also where no classes are given. Raises Trouble for a label that
    is no class, and for too many.
    """
    found = sorted(set(labels), key=lambda label: (int(label) if label.isdecimal() else -1, label))
    if class_names is None:
        digits = set(found) <= set(DIGIT_NAMES)
        class_names = DIGIT_NAMES if digits else validate_class_names(found, f"{source}, by its labels,")
    known = {name: at for at, name in enumerate(class_names)}
    if set(found) <= {str(at) for at in range(len(class_names))} and not set(found) <= set(known):
        known = {str(at): at for at in range(len(class_names))}
    strange = [label for label in found if label not in known]
    if strange:
        raise UserError(
            f"{source} labels images as {strange[0]!r}, which is none of the classes {', '.join(class_names)}; "
            "name it in --classes, or leave --labels away."
        )
    return class_names, np.array([known[label] for label in labels], np.uint8)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False

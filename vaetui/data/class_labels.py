"""Classes by their names, and labels as places among them; it does not know images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaetui.engine.classes import MOST
from vaetui.errors import Trouble

LONGEST = 40
"""Letters in a name."""
DIGITS = tuple("0123456789")


def read_names(text: str) -> tuple[str, ...]:
    """Give the names in a list with commas, or in a file with one a line.

    Raises Trouble for fewer than two, too many, equal or unprintable ones.
    """
    try:
        listed = Path(text).read_text(encoding="utf-8-sig").splitlines() if _is_file(text) else text.split(",")
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{text} cannot be read as a list of classes ({error}).") from error
    names = tuple(name.strip() for name in listed if name.strip())
    return checked(names, "--classes")


def checked(names: Sequence[str], who: str) -> tuple[str, ...]:
    """Give names of classes back if they can be such, else raise Trouble."""
    if not 2 <= len(names) <= MOST:
        raise Trouble(f"{who} has {len(names)} classes; from 2 to {MOST} can be told apart.")
    for name in names:
        if len(name) > LONGEST or not name.isprintable():
            raise Trouble(f"{name[:LONGEST]!r} cannot name a class; up to {LONGEST} printable letters can.")
        if list(names).count(name) > 1:
            raise Trouble(f"{who} has two classes named {name}; give each its own name.")
    return tuple(names)


def places(
    labels: Sequence[str], classes: tuple[str, ...] | None, who: str
) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
    """Give the names of the classes, and each label as its place among them, [N].

    Labels that are numbers from 0 to 9 mean these, also where no classes are given. Raises Trouble for a label that
    is no class, and for too many.
    """
    found = sorted(set(labels), key=lambda label: (int(label) if label.isdecimal() else -1, label))
    if classes is None:
        digits = set(found) <= set(DIGITS)
        classes = DIGITS if digits else checked(found, f"{who}, by its labels,")
    known = {name: at for at, name in enumerate(classes)}
    if set(found) <= {str(at) for at in range(len(classes))} and not set(found) <= set(known):
        known = {str(at): at for at in range(len(classes))}
    strange = [label for label in found if label not in known]
    if strange:
        raise Trouble(
            f"{who} labels images as {strange[0]!r}, which is none of the classes {', '.join(classes)}; "
            "name it in --classes, or leave --labels away."
        )
    return classes, np.array([known[label] for label in labels], np.uint8)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False

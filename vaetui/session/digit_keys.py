"""Which class each digit stands for; it does not know keys, nor what was said of what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vaetui.engine.classes import AddClass, ClassEdit, ClassList
from vaetui.session.views import MAX_DIGIT_KEYS, DigitKeys


def assign_digit_keys(classes: ClassList, answer_counts: Mapping[int, int]) -> DigitKeys:
    """Choose as a round begins, by how often each was named before: all up to ten, of more the ten named most.

    A class whose number is a digit has that one; the others take the digits that are left.
    """
    counts = canonical_counts(classes, answer_counts)
    most = sorted(classes.active, key=lambda label: -counts[label])[:MAX_DIGIT_KEYS]
    own = {label for label in most if label < MAX_DIGIT_KEYS}
    digits: list[int | None] = [label if label in own else None for label in range(MAX_DIGIT_KEYS)]
    for label in sorted(set(most) - own):
        digits[digits.index(None)] = label
    while digits[-1] is None:
        digits.pop()
    return tuple(digits)


def add_new_classes(digit_keys: DigitKeys, edits: Iterable[ClassEdit]) -> DigitKeys:
    """Give what was added in the round the digits that are free; no other digit changes its meaning before the next."""
    digits = list(digit_keys)
    for naming in edits:
        if isinstance(naming, AddClass) and None in digits:
            digits[digits.index(None)] = naming.class_id
        elif isinstance(naming, AddClass) and len(digits) < MAX_DIGIT_KEYS:
            digits.append(naming.class_id)
    return tuple(digits)


def canonical_counts(classes: ClassList, answer_counts: Mapping[int, int]) -> tuple[int, ...]:
    """Give how often each class was named, those named that were merged into it among them."""
    counts = [0] * len(classes)
    for label, root in enumerate(classes.canonical):
        counts[root] += answer_counts.get(label, 0)
    return tuple(counts)


def active_digits(digit_keys: DigitKeys, classes: ClassList) -> list[int]:
    """Give the digits that stand for a class that there still is."""
    return [digit for digit, kind in enumerate(digit_keys) if kind in classes.active]

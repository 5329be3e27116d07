"""The class behind each digit key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vaetui.engine.classes import AddClass, ClassEdit, ClassList
from vaetui.session.views import MAX_DIGIT_KEYS, DigitKeys


def assign_digit_keys(classes: ClassList, answer_counts: Mapping[int, int]) -> DigitKeys:
    """Return the digit keys of a round: all active classes up to ten, else the ten with the most earlier answers.

    A class whose id is a digit keeps that digit; the others take the remaining digits.
    """
    counts = sum_counts_of_merged_classes(classes, answer_counts)
    frequent = sorted(classes.active_ids, key=lambda class_id: -counts[class_id])[:MAX_DIGIT_KEYS]
    digits: list[int | None] = [digit if digit in frequent else None for digit in range(MAX_DIGIT_KEYS)]
    for class_id in sorted(set(frequent) - set(range(MAX_DIGIT_KEYS))):
        digits[digits.index(None)] = class_id
    while digits[-1] is None:
        digits.pop()
    return tuple(digits)


def add_new_classes(digit_keys: DigitKeys, edits: Iterable[ClassEdit]) -> DigitKeys:
    """Assign free digit keys to classes added this round; assigned digits stay until the next round."""
    digits = list(digit_keys)
    for edit in edits:
        if isinstance(edit, AddClass) and None in digits:
            digits[digits.index(None)] = edit.class_id
        elif isinstance(edit, AddClass) and len(digits) < MAX_DIGIT_KEYS:
            digits.append(edit.class_id)
    return tuple(digits)


def sum_counts_of_merged_classes(classes: ClassList, answer_counts: Mapping[int, int]) -> tuple[int, ...]:
    """Return the number of answers per class; those of merged classes count for their target."""
    counts = [0] * len(classes)
    for class_id, canonical_id in enumerate(classes.canonical):
        counts[canonical_id] += answer_counts.get(class_id, 0)
    return tuple(counts)


def list_active_digits(digit_keys: DigitKeys, classes: ClassList) -> list[int]:
    """Return the digits of active classes."""
    return [digit for digit, class_id in enumerate(digit_keys) if class_id in classes.active_ids]

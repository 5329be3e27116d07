"""The class behind each digit key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from vaetui.engine.classes import AddClass, ClassEdit, ClassList, RenameClass
from vaetui.session.views import MAX_DIGIT_KEYS, DigitKeys

if TYPE_CHECKING:
    from vaetui.storage.repository import SessionRepository

DIGITS = "0123456789"
"""The digit keys; a class with one of these names is chosen by that key."""


def assign_digit_keys(classes: ClassList, answer_counts: Mapping[int, int]) -> DigitKeys:
    """Return the digit keys of a round: all active classes up to ten, else the ten with the most earlier answers.

    A class whose name is a digit has that digit. Of the others, a class whose id is a free digit has that one, and the
    rest take the remaining digits in the order of the classes.
    """
    digits: list[int | None] = [None] * MAX_DIGIT_KEYS
    for class_id in classes.active_ids:
        if is_digit(name := classes.names[class_id]):
            digits[int(name)] = class_id
    counts = sum_counts_of_merged_classes(classes, answer_counts)
    others = [class_id for class_id in classes.active_ids if class_id not in digits]
    frequent = sorted(others, key=lambda class_id: -counts[class_id])[: digits.count(None)]
    remaining = []
    for class_id in sorted(frequent):
        if class_id < MAX_DIGIT_KEYS and digits[class_id] is None:
            digits[class_id] = class_id
        else:
            remaining.append(class_id)
    for class_id in remaining:
        digits[digits.index(None)] = class_id
    return _without_trailing_none(digits)


def load_digit_keys(repository: SessionRepository, last_round: int) -> DigitKeys:
    """Return the digit keys after a round, by the answers up to its end."""
    return assign_digit_keys(repository.load_class_list(last_round), repository.count_answers_by_class(last_round))


def add_new_classes(digit_keys: DigitKeys, edits: Iterable[ClassEdit]) -> DigitKeys:
    """Assign free digit keys to classes added this round; assigned digits stay until the next round.

    A class that is added or renamed to a digit takes that digit if it is free.
    """
    digits = [*digit_keys, *[None] * (MAX_DIGIT_KEYS - len(digit_keys))]
    for edit in edits:
        if isinstance(edit, AddClass | RenameClass) and is_digit(edit.name) and digits[int(edit.name)] is None:
            digits[int(edit.name)] = edit.class_id
        elif isinstance(edit, AddClass) and None in digits:
            digits[digits.index(None)] = edit.class_id
    return _without_trailing_none(digits)


def is_digit(text: str) -> bool:
    """Return whether a text is one of the ten digits; other scripts have digits that no digit key types."""
    return len(text) == 1 and text in DIGITS


def sum_counts_of_merged_classes(classes: ClassList, answer_counts: Mapping[int, int]) -> tuple[int, ...]:
    """Return the number of answers per class; those of merged classes count for their target."""
    counts = [0] * len(classes)
    for class_id, canonical_id in enumerate(classes.canonical):
        counts[canonical_id] += answer_counts.get(class_id, 0)
    return tuple(counts)


def list_active_digits(digit_keys: DigitKeys, classes: ClassList) -> list[int]:
    """Return the digits of active classes."""
    return [digit for digit, class_id in enumerate(digit_keys) if class_id in classes.active_ids]


def _without_trailing_none(digits: list[int | None]) -> DigitKeys:
    while digits and digits[-1] is None:
        digits.pop()
    return tuple(digits)

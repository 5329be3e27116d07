"""Assignment of digit keys to classes."""

from __future__ import annotations

import pytest

from vaetui.engine.classes import AddClass, ClassEdit, ClassList, MergeClass, RenameClass
from vaetui.session.digit_keys import add_new_classes, assign_digit_keys, list_active_digits

PETS = ClassList.from_names(("cat", "dog", "cow", "hen"))
MANY = ClassList.from_names([f"kind {number}" for number in range(12)])


def test_up_to_ten_classes_keep_their_own_digits() -> None:
    assert assign_digit_keys(PETS, {}) == (0, 1, 2, 3)


def test_merged_class_loses_its_digit() -> None:
    merged = PETS.with_edit(MergeClass(1, 0))
    assert assign_digit_keys(merged, {}) == (0, None, 2, 3)
    assert list_active_digits((0, None, 2, 3), merged) == [0, 2, 3]
    assert assign_digit_keys(PETS.with_edit(MergeClass(3, 0)), {3: 5}) == (0, 1, 2)


def test_of_more_than_ten_classes_the_most_frequent_get_digits() -> None:
    assert assign_digit_keys(MANY, {10: 1, 11: 2}) == (*range(8), 10, 11)
    assert assign_digit_keys(MANY.with_edit(MergeClass(11, 3)), {11: 2}) == tuple(range(10))


def test_added_classes_take_free_digits_and_no_assigned_digit_changes() -> None:
    edits: list[ClassEdit] = [AddClass(4, "emu"), RenameClass(0, "tom"), AddClass(5, "owl")]
    assert add_new_classes((0, None, 2, 3), edits) == (0, 4, 2, 3, 5)
    assert add_new_classes(tuple(range(10)), [AddClass(12, "one more")]) == tuple(range(10))


@pytest.mark.parametrize(
    ("names", "digit_keys"),
    [
        (("1", "2", "3"), (None, 0, 1, 2)),
        (tuple("9876543210"), (9, 8, 7, 6, 5, 4, 3, 2, 1, 0)),
        (("cat", "1", "dog"), (0, 1, 2)),
        (("1", "0", "2", "5", "cat", "dog"), (1, 0, 2, 5, 4, 3)),
        (("1", "cat", "dog"), (1, 0, 2)),
        (("10", "07", "٣", "9"), (0, 1, 2, None, None, None, None, None, None, 3)),
        ((*"abcdefghijkl", "7"), (0, 1, 2, 3, 4, 5, 6, 12, 8, 7)),
    ],
)
def test_class_named_like_a_digit_has_that_digit(names: tuple[str, ...], digit_keys: tuple[int | None, ...]) -> None:
    assert assign_digit_keys(ClassList.from_names(names), {}) == digit_keys


def test_class_named_like_a_digit_has_it_among_more_frequent_classes() -> None:
    classes = ClassList.from_names((*"abcdefghijkl", "0"))
    keys = assign_digit_keys(classes, dict.fromkeys(range(12), 5))
    assert keys[0] == 12
    assert sorted(key for key in keys if key is not None) == [*range(9), 12]


def test_class_added_or_renamed_to_a_free_digit_takes_it_at_once() -> None:
    assert add_new_classes((0, 1), [AddClass(2, "7")]) == (0, 1, None, None, None, None, None, 2)
    assert add_new_classes((0, 1), [RenameClass(1, "5")]) == (0, 1, None, None, None, 1)
    assert add_new_classes((0, 1), [RenameClass(1, "0"), AddClass(2, "1")]) == (0, 1, 2), "both digits are taken"

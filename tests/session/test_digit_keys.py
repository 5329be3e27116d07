"""Assignment of digit keys to classes."""

from __future__ import annotations

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

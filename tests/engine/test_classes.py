"""Tests of adding, renaming and merging classes."""

from __future__ import annotations

from functools import reduce

import pytest

from tests.test_errors import VALID_TEXTS
from vaetui.engine.classes import (
    MAX_CLASS_NAME_CHARS,
    MAX_CLASSES,
    AddClass,
    ClassEdit,
    ClassList,
    MergeClass,
    RenameClass,
)
from vaetui.errors import UserError

PETS = ClassList.from_names(("cat", "dog", "cow"))


def edit_pets(*edits: ClassEdit) -> ClassList:
    return reduce(ClassList.with_edit, edits, PETS)


def test_added_class_gets_the_next_id() -> None:
    classes = edit_pets(AddClass(3, "hen"))
    assert (classes.names, classes.canonical) == (("cat", "dog", "cow", "hen"), (0, 1, 2, 3))
    assert classes.active_ids == (0, 1, 2, 3)
    assert classes.find_id("hen") == 3


def test_renamed_class_keeps_its_id_and_frees_its_old_name() -> None:
    assert edit_pets(RenameClass(1, "hound")).names == ("cat", "hound", "cow")
    assert edit_pets(RenameClass(1, "hound"), AddClass(3, "dog")).find_id("dog") == 3


def test_merged_class_counts_as_its_target_and_changes_no_id() -> None:
    classes = edit_pets(MergeClass(0, 1))
    assert (classes.canonical, classes.active_ids, classes.resolved_names) == ((1, 1, 2), (1, 2), ("dog", "dog", "cow"))
    assert classes.aliases == {"cat": "dog"}
    merged_twice = edit_pets(AddClass(3, "hen"), MergeClass(0, 1), MergeClass(1, 3))
    assert merged_twice.canonical == (3, 3, 2, 3)
    assert merged_twice.with_edit(RenameClass(3, "bird")).aliases == {"cat": "bird", "dog": "bird"}


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ([AddClass(4, "hen")], "next class id is 3; got 4"),
        ([AddClass(3, "cat")], 'Class "cat" already exists'),
        ([AddClass(3, "")], "is not a valid class name"),
        ([AddClass(3, " hen")], "is not a valid class name"),
        ([AddClass(3, "x" * (MAX_CLASS_NAME_CHARS + 1))], "is not a valid class name"),
        ([AddClass(3, "\x1b[2J")], "is not a valid class name"),
        ([RenameClass(3, "hen")], "There is no class 3. Choose a class from 0 to 2"),
        ([RenameClass(-1, "hen")], "There is no class -1"),
        ([RenameClass(0, "cat")], 'Class "cat" already exists'),
        ([MergeClass(0, 0)], "cannot be merged into itself"),
        ([MergeClass(0, 9)], "There is no class 9"),
        ([MergeClass(0, 1), MergeClass(1, 2)], "Only two classes are left"),
        ([AddClass(3, "hen"), MergeClass(0, 1), MergeClass(1, 0)], 'Class "cat" was merged into "dog"'),
        ([MergeClass(0, 1), RenameClass(0, "tom")], 'Class "cat" was merged into "dog"'),
        ([MergeClass(0, 1), AddClass(3, "cat")], 'Class "cat" was merged into "dog"'),
        ([MergeClass(0, 1), MergeClass(0, 2)], 'Class "cat" was merged into "dog"'),
    ],
)
def test_impossible_edit_is_refused(edits: list[ClassEdit], message: str) -> None:
    with pytest.raises(UserError, match=message):
        edit_pets(*edits)


def test_adding_more_than_the_maximum_of_classes_is_refused() -> None:
    full = ClassList.from_names([f"class {index}" for index in range(MAX_CLASSES)])
    with pytest.raises(UserError, match=f"already has {MAX_CLASSES} classes"):
        full.with_edit(AddClass(MAX_CLASSES, "extra"))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("cat",), "needs 2 to 250 names; got 1"),
        (("cat", "cat"), "two classes named cat"),
        (("cat", "\n"), "is not a valid class name"),
        (("cat", "dog\u2028"), "is not a valid class name"),
        (("cat", "caf\udce9"), "is not a valid class name"),
        (("cat", ""), "is not a valid class name"),
        (tuple(map(str, range(MAX_CLASSES + 1))), "needs 2 to 250 names; got 251"),
    ],
)
def test_invalid_list_of_names_is_refused(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        ClassList.from_names(names)


@pytest.mark.parametrize("canonical", [(0,), (0, 1, 3), (0, -1, 2), (1, 2, 2), (0, 0, 0)])
def test_list_with_impossible_merges_is_refused(canonical: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="The list of classes has"):
        ClassList(PETS.names, canonical)


@pytest.mark.parametrize("name", [*VALID_TEXTS, "x" * MAX_CLASS_NAME_CHARS, "-1", "a/b", "*", "nan"])
def test_any_printable_text_is_a_class_name(name: str) -> None:
    assert edit_pets(AddClass(3, name)).find_id(name) == 3
    assert edit_pets(RenameClass(0, name)).names[0] == name
    assert ClassList.from_names((name, "cat")).names[0] == name

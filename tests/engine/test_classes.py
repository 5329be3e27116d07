"""Classes are added, renamed and merged, and their numbers never change."""

from __future__ import annotations

from functools import reduce

import pytest

from vaetui.engine.classes import MAX_CLASSES, MAX_NAME_CHARS, AddClass, ClassEdit, ClassList, MergeClass, RenameClass
from vaetui.errors import UserError

PETS = ClassList.from_names(("cat", "dog", "cow"))


def after(*namings: ClassEdit) -> ClassList:
    return reduce(ClassList.apply, namings, PETS)


def test_an_added_class_has_the_next_number() -> None:
    known = after(AddClass(3, "hen"))
    assert (known.names, known.canonical, known.active) == (("cat", "dog", "cow", "hen"), (0, 1, 2, 3), (0, 1, 2, 3))
    assert known.find_id("hen") == 3


def test_a_renamed_class_keeps_its_number() -> None:
    assert after(RenameClass(1, "hound")).names == ("cat", "hound", "cow")
    assert after(RenameClass(1, "hound"), AddClass(3, "dog")).find_id("dog") == 3, "its old name is free"


def test_a_merged_class_counts_as_another_and_moves_no_number() -> None:
    known = after(MergeClass(0, 1))
    assert (known.canonical, known.active, known.resolved_names) == ((1, 1, 2), (1, 2), ("dog", "dog", "cow"))
    assert known.aliases == {"cat": "dog"}
    chain = after(AddClass(3, "hen"), MergeClass(0, 1), MergeClass(1, 3))
    assert chain.canonical == (3, 3, 2, 3)
    assert chain.apply(RenameClass(3, "bird")).aliases == {"cat": "bird", "dog": "bird"}


@pytest.mark.parametrize(
    ("namings", "complaint"),
    [
        ([AddClass(4, "hen")], "number of a new class is 3, not 4"),
        ([AddClass(3, "cat")], "There is a class cat already"),
        ([AddClass(3, "")], "cannot name a class"),
        ([AddClass(3, " hen")], "cannot name a class"),
        ([AddClass(3, "x" * (MAX_NAME_CHARS + 1))], "cannot name a class"),
        ([AddClass(3, "\x1b[2J")], "cannot name a class"),
        ([RenameClass(3, "hen")], "There is no class 3; the classes are 0 to 2"),
        ([RenameClass(-1, "hen")], "There is no class -1"),
        ([RenameClass(0, "cat")], "There is a class cat already"),
        ([MergeClass(0, 0)], "cannot be merged into itself"),
        ([MergeClass(0, 9)], "There is no class 9"),
        ([MergeClass(0, 1), MergeClass(1, 2)], "Two classes have to be left"),
        ([AddClass(3, "hen"), MergeClass(0, 1), MergeClass(1, 0)], "cat counts as dog since they were merged"),
        ([MergeClass(0, 1), RenameClass(0, "tom")], "cat counts as dog"),
        ([MergeClass(0, 1), AddClass(3, "cat")], "cat counts as dog"),
        ([MergeClass(0, 1), MergeClass(0, 2)], "cat counts as dog"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(namings: list[ClassEdit], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        after(*namings)


def test_there_are_no_more_classes_than_can_be_told_apart() -> None:
    full = ClassList.from_names([f"kind {at}" for at in range(MAX_CLASSES)])
    with pytest.raises(UserError, match="as many as can be told apart"):
        full.apply(AddClass(MAX_CLASSES, "one more"))


@pytest.mark.parametrize("names", [("cat",), ("cat", "cat"), ("cat", "\n"), tuple(map(str, range(MAX_CLASSES + 1)))])
def test_names_that_cannot_be_those_of_classes_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(UserError, match="make classes"):
        ClassList.from_names(names)

"""Classes are added, renamed and merged, and their numbers never change."""

from __future__ import annotations

from functools import reduce

import pytest

from vaetui.engine.classes import LONGEST, MOST, Added, Classes, Merged, Naming, Renamed
from vaetui.errors import Trouble

PETS = Classes.named(("cat", "dog", "cow"))


def after(*namings: Naming) -> Classes:
    return reduce(Classes.after, namings, PETS)


def test_an_added_class_has_the_next_number() -> None:
    known = after(Added(3, "hen"))
    assert (known.names, known.roots, known.offered) == (("cat", "dog", "cow", "hen"), (0, 1, 2, 3), (0, 1, 2, 3))
    assert known.find("hen") == 3


def test_a_renamed_class_keeps_its_number() -> None:
    assert after(Renamed(1, "hound")).names == ("cat", "hound", "cow")
    assert after(Renamed(1, "hound"), Added(3, "dog")).find("dog") == 3, "its old name is free"


def test_a_merged_class_counts_as_another_and_moves_no_number() -> None:
    known = after(Merged(0, 1))
    assert (known.roots, known.offered, known.called) == ((1, 1, 2), (1, 2), ("dog", "dog", "cow"))
    assert known.aliases == {"cat": "dog"}
    chain = after(Added(3, "hen"), Merged(0, 1), Merged(1, 3))
    assert chain.roots == (3, 3, 2, 3)
    assert chain.after(Renamed(3, "bird")).aliases == {"cat": "bird", "dog": "bird"}


@pytest.mark.parametrize(
    ("namings", "complaint"),
    [
        ([Added(4, "hen")], "number of a new class is 3, not 4"),
        ([Added(3, "cat")], "There is a class cat already"),
        ([Added(3, "")], "cannot name a class"),
        ([Added(3, " hen")], "cannot name a class"),
        ([Added(3, "x" * (LONGEST + 1))], "cannot name a class"),
        ([Added(3, "\x1b[2J")], "cannot name a class"),
        ([Renamed(3, "hen")], "There is no class 3; the classes are 0 to 2"),
        ([Renamed(-1, "hen")], "There is no class -1"),
        ([Renamed(0, "cat")], "There is a class cat already"),
        ([Merged(0, 0)], "cannot be merged into itself"),
        ([Merged(0, 9)], "There is no class 9"),
        ([Merged(0, 1), Merged(1, 2)], "Two classes have to be left"),
        ([Added(3, "hen"), Merged(0, 1), Merged(1, 0)], "cat counts as dog since they were merged"),
        ([Merged(0, 1), Renamed(0, "tom")], "cat counts as dog"),
        ([Merged(0, 1), Added(3, "cat")], "cat counts as dog"),
        ([Merged(0, 1), Merged(0, 2)], "cat counts as dog"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(namings: list[Naming], complaint: str) -> None:
    with pytest.raises(Trouble, match=complaint):
        after(*namings)


def test_there_are_no_more_classes_than_can_be_told_apart() -> None:
    full = Classes.named([f"kind {at}" for at in range(MOST)])
    with pytest.raises(Trouble, match="as many as can be told apart"):
        full.after(Added(MOST, "one more"))


@pytest.mark.parametrize("names", [("cat",), ("cat", "cat"), ("cat", "\n"), tuple(map(str, range(MOST + 1)))])
def test_names_that_cannot_be_those_of_classes_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(Trouble, match="make classes"):
        Classes.named(names)

"""Classes by their names, and labels as places among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaetui.data.class_labels import DIGITS, places, read_names
from vaetui.errors import Trouble


def test_names_come_from_a_list_or_a_file(tmp_path: Path) -> None:
    assert read_names(" cat, wild dog ,fish,") == ("cat", "wild dog", "fish")
    (tmp_path / "names.txt").write_text("cat\n\nwild, dog\n")
    assert read_names(str(tmp_path / "names.txt")) == ("cat", "wild, dog")


@pytest.mark.parametrize("text", ["", "cat", "cat,cat", "cat,\x1b[2J", f"cat,{'x' * 41}", "x" * 5_000])
def test_what_cannot_name_classes_is_refused(text: str) -> None:
    with pytest.raises(Trouble):
        read_names(text)


def test_labels_become_places_among_the_classes() -> None:
    assert [*places(["b", "a", "b"], None, "x")[1]] == [1, 0, 1]
    assert places(["3", "0"], None, "x")[0] == DIGITS
    named, found = places(["11", "2", "2"], None, "x")
    assert (named, [*found]) == (("2", "11"), [1, 0, 0])
    named, found = places(["1", "0", "1"], ("cat", "dog"), "x")
    assert (named, [*found]) == (("cat", "dog"), [1, 0, 1])
    with pytest.raises(Trouble, match="labels images as 'fish'"):
        places(["cat", "fish"], ("cat", "dog"), "x")

"""Classes by their names, and labels as places among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaetui.data.class_labels import DIGIT_NAMES, encode_labels, read_class_names
from vaetui.errors import UserError


def test_names_come_from_a_list_or_a_file(tmp_path: Path) -> None:
    assert read_class_names(" cat, wild dog ,fish,") == ("cat", "wild dog", "fish")
    (tmp_path / "names.txt").write_text("cat\n\nwild, dog\n")
    assert read_class_names(str(tmp_path / "names.txt")) == ("cat", "wild, dog")


@pytest.mark.parametrize("text", ["", "cat", "cat,cat", "cat,\x1b[2J", f"cat,{'x' * 41}", "x" * 5_000])
def test_what_cannot_name_classes_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        read_class_names(text)


def test_labels_become_places_among_the_classes() -> None:
    assert [*encode_labels(["b", "a", "b"], None, "x")[1]] == [1, 0, 1]
    assert encode_labels(["3", "0"], None, "x")[0] == DIGIT_NAMES
    named, found = encode_labels(["11", "2", "2"], None, "x")
    assert (named, [*found]) == (("2", "11"), [1, 0, 0])
    named, found = encode_labels(["1", "0", "1"], ("cat", "dog"), "x")
    assert (named, [*found]) == (("cat", "dog"), [1, 0, 1])
    with pytest.raises(UserError, match="labels images as 'fish'"):
        encode_labels(["cat", "fish"], ("cat", "dog"), "x")

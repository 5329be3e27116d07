"""Class names and label encoding."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaetui.data.class_labels import DIGIT_NAMES, encode_labels, read_class_names
from vaetui.errors import UserError


def test_class_names_are_read_from_a_list_or_a_file(tmp_path: Path) -> None:
    assert read_class_names(" cat, wild dog ,fish,") == ("cat", "wild dog", "fish")
    (tmp_path / "names.txt").write_text("cat\n\nwild, dog\n")
    assert read_class_names(str(tmp_path / "names.txt")) == ("cat", "wild, dog")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--classes needs 2 to 250 names; got 0"),
        ("cat", "--classes needs 2 to 250 names; got 1"),
        ("cat,cat", "two classes named cat"),
        ("cat,\x1b[2J", "is not a valid class name"),
        (f"cat,{'x' * 41}", "is not a valid class name"),
        ("x" * 5_000, "--classes needs 2 to 250 names; got 1"),
    ],
)
def test_invalid_class_names_raise_user_error(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_class_names(text)


def test_labels_are_encoded_as_indices_of_the_class_names() -> None:
    assert [*encode_labels(["b", "a", "b"], None, "x")[1]] == [1, 0, 1]
    assert encode_labels(["3", "0"], None, "x")[0] == DIGIT_NAMES
    class_names, class_ids = encode_labels(["11", "2", "2"], None, "x")
    assert (class_names, [*class_ids]) == (("2", "11"), [1, 0, 0])
    class_names, class_ids = encode_labels(["1", "0", "1"], ("cat", "dog"), "x")
    assert (class_names, [*class_ids]) == (("cat", "dog"), [1, 0, 1])


def test_a_label_outside_the_class_names_raises_user_error() -> None:
    with pytest.raises(UserError, match="contains the label 'fish', which is not among the classes cat, dog"):
        encode_labels(["cat", "fish"], ("cat", "dog"), "x")

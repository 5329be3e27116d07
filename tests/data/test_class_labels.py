"""Class names and label encoding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_errors import VALID_TEXTS
from vaetui.data.class_labels import (
    DIGIT_NAMES,
    count_labels,
    encode_label_sets,
    encode_labels,
    format_labels,
    read_class_names,
)
from vaetui.engine.classes import MAX_CLASS_NAME_CHARS, NO_LABEL
from vaetui.errors import UserError, is_printable_text

CLASS_NAMES = st.lists(
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
        lambda text: text == text.strip() and "," not in text and is_printable_text(text)
    ),
    min_size=2,
    max_size=6,
    unique=True,
)


def test_class_names_are_read_from_a_list_or_a_file(tmp_path: Path) -> None:
    assert read_class_names(" cat, wild dog ,fish,") == ("cat", "wild dog", "fish")
    (tmp_path / "names.txt").write_text("cat\n\nwild, dog \n")
    assert read_class_names(str(tmp_path / "names.txt")) == ("cat", "wild, dog")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--classes needs 2 to 250 names; got 0"),
        ("cat", "--classes needs 2 to 250 names; got 1"),
        ("1.5", "--classes needs 2 to 250 names; got 1"),
        ("cat,cat", "two classes named cat"),
        ("cat,\x1b[2J", "is not a valid class name"),
        ("cat,caf\udce9", "is not a valid class name"),
        (f"cat,{'x' * (MAX_CLASS_NAME_CHARS + 1)}", "is not a valid class name"),
        ("x" * 5_000, "--classes needs 2 to 250 names; got 1"),
    ],
)
def test_invalid_class_names_raise_user_error(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_class_names(text)


@pytest.mark.parametrize(
    "path", ["nosuch.txt", "nosuch.names", "lists/nosuch", "nosuch.CSV", r"lists\nosuch", "a.b.txt"]
)
def test_a_missing_file_of_class_names_is_named(path: str) -> None:
    with pytest.raises(UserError) as error:
        read_class_names(path)
    assert f"There is no file {path}." in str(error.value)


def test_class_names_of_any_script_are_read() -> None:
    assert read_class_names(",".join(VALID_TEXTS)) == VALID_TEXTS
    assert encode_labels(VALID_TEXTS, None, "x")[0] == tuple(sorted(VALID_TEXTS))


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


def test_labels_that_may_be_names_or_indices_raise_user_error() -> None:
    with pytest.raises(UserError, match="contains the label '0', which is not among the classes 1, 2, 3"):
        encode_labels(["0", "1", "2"], ("1", "2", "3"), "x")  # 1 may be the first class or the second one


def test_messages_about_many_and_long_names_end_with_the_advice() -> None:
    with pytest.raises(UserError) as error:
        encode_labels(["x" * 5_000, "y"], tuple(f"{index:03}" * 33 for index in range(250)), "x")
    assert "000000" in str(error.value)
    assert str(error.value).endswith("and 244 others. Add it to --classes, or omit --labels.")
    with pytest.raises(UserError) as error:
        encode_labels(["x" * 5_000] * 2, None, "x")
    assert str(error.value).endswith("or omit --labels.")


@pytest.mark.parametrize("missing", ["", " ", "-1", "-1.0", " -1 ", "nan", "NaN", "NAN", "-nan", "<NA>"])
@pytest.mark.parametrize(
    ("labels", "class_names", "expected_names", "expected_ids"),
    [
        (["dog", "cat ", " cat"], None, ("cat", "dog"), [1, 0, 0]),
        (["7", "3", "3"], None, DIGIT_NAMES, [7, 3, 3]),
        (["7.0", "3.0", "3.0"], None, DIGIT_NAMES, [7, 3, 3]),
        (["1.0", "0.0", "0.0"], ("cat", "dog"), ("cat", "dog"), [1, 0, 0]),
        (["1.0", "0.0", "0.0"], ("0.0", "1.0"), ("0.0", "1.0"), [1, 0, 0]),
        (["1.5", "0.0", "0.0"], None, ("0.0", "1.5"), [1, 0, 0]),
        (["1", "0", "0"], ("cat", "dog"), ("cat", "dog"), [1, 0, 0]),
        (["dog", "cat", "cat"], ("dog", "cat"), ("dog", "cat"), [0, 1, 1]),
    ],
)
def test_missing_labels_are_no_class(
    missing: str,
    labels: list[str],
    class_names: tuple[str, ...] | None,
    expected_names: tuple[str, ...],
    expected_ids: list[int],
) -> None:
    names, class_ids = encode_labels([*labels, missing], class_names, "x")
    assert (names, class_ids.tolist()) == (expected_names, [*expected_ids, NO_LABEL])
    counts = count_labels(names, class_ids)
    assert (counts.unlabelled, counts.total) == (1, 4)
    assert list(counts.by_class) == list(expected_names)
    assert counts.by_class[names[expected_ids[2]]] == 2


@pytest.mark.parametrize("labels", [["", "-1"], ["nan"] * 3, [" "]])
@pytest.mark.parametrize("class_names", [None, ("cat", "dog")])
def test_labels_that_are_all_missing_are_refused(labels: list[str], class_names: tuple[str, ...] | None) -> None:
    with pytest.raises(UserError, match="No image of x has a label: -1, NaN and empty mean no label"):
        encode_labels(labels, class_names, "x")


@pytest.mark.parametrize("labels", [["cat", "cat", "-1"], ["1", "-1", "1"], ["cat", "cat "]])
def test_a_single_class_is_refused(labels: list[str]) -> None:
    with pytest.raises(UserError, match=r"All 2 labels of x are (cat|1): -1, NaN and empty mean no label. At least 2"):
        encode_labels(labels, None, "x")


def test_a_class_that_is_named_minus_one_by_the_user_is_a_class() -> None:
    assert [*encode_labels(["1", "-1", "1", "nan"], ("-1", "1"), "x")[1]] == [1, 0, 1, NO_LABEL]


def test_too_many_labels_are_counted_and_invalid_ones_are_named() -> None:
    with pytest.raises(UserError, match="x has 300 different labels; at most 250 classes"):
        encode_labels([f"image {index}" for index in range(300)], None, "x")
    with pytest.raises(UserError, match=r'x contains an invalid label: "a\\x1bb" is not a valid class name'):
        encode_labels(["cat", "a\x1bb"], None, "x")
    with pytest.raises(UserError, match="is not a valid class name"):
        encode_labels(["cat", "9" * 5_000], None, "x")


def test_labels_in_two_unicode_forms_are_one_class() -> None:
    assert [*encode_labels(["caf\u00e9", "cafe\u0301", "tea"], None, "x")[1]] == [0, 0, 1]
    assert [*encode_labels(["cafe\u0301", "tea"], ("tea", "caf\u00e9"), "x")[1]] == [1, 0]
    assert [*encode_labels(["caf\u00e9", "tea"], ("tea", "cafe\u0301"), "x")[1]] == [1, 0]


def test_labels_of_all_sets_are_read_alike() -> None:
    sets = [(["0", "1", "2"], "train"), (["1", "2", "nan"], "test")]
    _, (train_ids, test_ids) = encode_label_sets(sets, ("cat", "dog", "cow"))
    assert ([*train_ids], [*test_ids]) == ([0, 1, 2], [1, 2, NO_LABEL])
    with pytest.raises(UserError, match="test contains the label 'cow', which is not among the classes cat, dog"):
        encode_label_sets([(["cat", "dog"], "train"), (["cow"], "test")], None)
    _, (_, test_ids) = encode_label_sets([(["cat", "dog"], "train"), (["", "-1"], "test")], None)
    assert [*test_ids] == [NO_LABEL, NO_LABEL]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (np.array([1.0, 0.0]), ["1", "0"]),
        (np.array([1.0, np.nan, -1.0], ">f4"), ["1", "", "-1"]),
        (np.array([0.1, 1.0, np.nan], "f4"), ["0.1", "1.0", ""]),
        (np.array([1e20, 2.0]), ["100000000000000000000", "2"]),
        (np.array([np.inf, 1.0]), ["inf", "1.0"]),
        (np.array([3, -1], "i8"), ["3", "-1"]),
        (np.array([3, 255], "u1"), ["3", "255"]),
        (np.array(["cat ", ""]), ["cat ", ""]),
        (np.array([b"cat", "café".encode()]), ["cat", "café"]),
        (np.array([b"caf\xe9"]), ["caf\udce9"]),
    ],
)
def test_array_values_become_labels(values: np.ndarray, labels: list[str]) -> None:
    assert format_labels(values) == labels


def test_255_in_idx_files_means_no_label() -> None:
    assert format_labels(np.array([3, 255], "u1"), is_idx=True) == ["3", ""]


@given(CLASS_NAMES, st.data())
def test_labels_that_are_class_names_keep_their_class(class_names: list[str], data: st.DataObject) -> None:
    ids = data.draw(st.lists(st.integers(0, len(class_names) - 1), min_size=1))
    labels = [f" {class_names[class_id]} " for class_id in ids]
    names, class_ids = encode_labels(labels, read_class_names(",".join(class_names)), "x")
    assert (list(names), class_ids.tolist()) == (class_names, ids)

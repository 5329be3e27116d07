"""Test the parsing of the lines typed in the plain dialogue."""

from __future__ import annotations

import pytest

from vaetui.engine.answers import ClassAnswer, Cleared, NearestImageAnswer, Split, Unreadable
from vaetui.engine.classes import AddClass, ClassList, MergeClass, RenameClass
from vaetui.errors import UserError
from vaetui.session.digit_keys import assign_digit_keys
from vaetui.session.views import DigitKeys
from vaetui.tui.plain.commands import (
    Command,
    CorrectAnswer,
    Export,
    ListClusters,
    ListHistory,
    SelectCluster,
    parse_command,
)

DIGITS = ClassList.from_names("0123456789")
PETS = ClassList.from_names(("cat", "cat fish", "7", "bird as bird", "add"))


def parse(line: str, classes: ClassList, digit_keys: DigitKeys | None = None) -> Command:
    keys = assign_digit_keys(classes, {}) if digit_keys is None else digit_keys
    return parse_command(line, 4, classes, keys)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("7", ClassAnswer(7)),
        (" 7 1 ", ClassAnswer(7, 0.1)),
        ("7 1.0", ClassAnswer(7)),
        ("7 8", ClassAnswer(7, 0.8)),
        ("7 .8", ClassAnswer(7, 0.8)),
        ("7 0.8", ClassAnswer(7, 0.8)),
        ("only 7", NearestImageAnswer(7)),
        ("7 only", NearestImageAnswer(7)),
        ("7 o", NearestImageAnswer(7)),
        ("o 7", NearestImageAnswer(7)),
        ("correct 1 3.1 only 7", CorrectAnswer(1, (3, 1), NearestImageAnswer(7))),
        ("s", Split(4)),
        ("s 3", Split(3)),
        ("x", Unreadable()),
        ("c 3.1", SelectCluster((3, 1))),
        ("centre 3", SelectCluster((3,))),
        ("", "next"),
        ("u", "undo"),
        ("U", "redo"),
        ("g", "go"),
        ("q", "leave"),
        ("y", "accept"),
        ("Y", "accept all"),
        ("i", "pictures"),
        ("clear", Cleared()),
        ("l", ListClusters()),
        ("list", ListClusters()),
        ("l open", ListClusters("number", True)),
        ("l open doubt", ListClusters("doubt", True)),
        ("list size open", ListClusters("size", True)),
        ("history", ListHistory()),
        ("history 7", ListHistory(7)),
        ("correct 1 3.1 7 8", CorrectAnswer(1, (3, 1), ClassAnswer(7, 0.8))),
        ("correct 2 0 x", CorrectAnswer(2, (0,), Unreadable())),
        ("correct 2 0 clear", CorrectAnswer(2, (0,), Cleared())),
        ("export a file.csv", Export("a file.csv")),
        ("export ~/labels.jsonl", Export("~/labels.jsonl")),
    ],
)
def test_line_is_parsed_as_one_command(line: str, command: object) -> None:
    assert parse(line, DIGITS) == command


@pytest.mark.parametrize(
    "line",
    [
        "seven",
        "7 0",
        "7 10",
        "s x",
        "c",
        "c a",
        "-1",
        "7 8 9",
        "\x1b[A",
        "s 1000",
        "l 3",
        "l size doubt",
        "export",
        "correct 1",
        "correct 1 7",
        "c 1 2",
    ],
)
def test_unknown_command_raises_user_error(line: str) -> None:
    with pytest.raises(UserError, match="Unknown command"):
        parse(line, DIGITS)


def test_class_whose_name_ends_or_begins_with_only_is_that_class() -> None:
    classes = ClassList.from_names(("read only", "only one", "read"))
    assert parse("read only", classes) == ClassAnswer(0)
    assert parse("only one", classes) == ClassAnswer(1)
    assert parse("only read only", classes) == NearestImageAnswer(0)
    assert parse("read o", classes) == NearestImageAnswer(2)


def test_words_are_commands_where_letters_are_class_names() -> None:
    letters = ClassList.from_names("abcdefghijklmnopqrstuvwxyz")
    assert parse("g", letters) == ClassAnswer(6)
    assert parse("s 3", letters) == ClassAnswer(18, 0.3)
    for line, command in {
        "split 3": Split(3),
        "split": Split(4),
        "unreadable": Unreadable(),
        "cluster 3.1": SelectCluster((3, 1)),
        **{word: word for word in ("next", "undo", "redo", "members", "pictures", "accept", "go", "leave", "help")},
        "list": ListClusters(),
        "accept all": "accept all",
    }.items():
        assert parse(line, letters) == command


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("add owl", AddClass(5, "owl")),
        ("add  barn owl ", AddClass(5, "barn owl")),
        ("rename cat fish as hen", RenameClass(1, "hen")),
        ("rename 0 as cat into dog", RenameClass(0, "cat into dog")),
        ("rename bird as bird as owl", RenameClass(3, "owl")),
        ("rename 7 as seven", RenameClass(2, "seven")),
        ("merge cat into cat fish", MergeClass(0, 1)),
        ("merge 1 into 0", MergeClass(1, 0)),
        ("merge 3 into 7", MergeClass(3, 2)),
        ("rename cat as 7", RenameClass(0, "7")),
        ("add 8", ClassAnswer(4, 0.8)),
        ("classes", "classes"),
    ],
)
def test_line_is_parsed_as_one_class_edit(line: str, command: object) -> None:
    assert parse(line, PETS) == command


@pytest.mark.parametrize(
    "line", ["rename owl as hen", "merge cat into owl", "merge owl into cat", "merge 9 into cat", "rename 2 as hen"]
)
def test_edit_of_an_unknown_class_raises_user_error(line: str) -> None:
    with pytest.raises(UserError, match="Unknown class in"):
        parse(line, PETS)


@pytest.mark.parametrize("line", ["history owl", "correct 1 3 owl", "correct 1 3 owl 8"])
def test_unknown_class_of_a_longer_command_raises_user_error(line: str) -> None:
    with pytest.raises(UserError, match="Unknown class 'owl"):
        parse(line, PETS)


@pytest.mark.parametrize("line", ["rename cat", "merge", "merge cat", "add "])
def test_incomplete_class_edit_raises_user_error(line: str) -> None:
    with pytest.raises(UserError, match="Unknown command"):
        parse(line, ClassList.from_names(("cat", "dog")))


@pytest.mark.parametrize(
    ("names", "answers"),
    [
        (("1", "2", "3"), {"1": 0, "2": 1, "3": 2}),
        (tuple("0123456789"), {digit: int(digit) for digit in "0123456789"}),
        (tuple("9876543210"), {digit: 9 - int(digit) for digit in "0123456789"}),
        (("cat", "1", "dog"), {"0": 0, "1": 1, "2": 2, "cat": 0, "dog": 2}),
        (("dog", "cat", "1"), {"0": 0, "1": 2, "2": 1}),
        (("10", "07", "7"), {"0": 0, "1": 1, "7": 2, "10": 0, "07": 1}),
        (tuple("abcdefghijklmnopqrstuvwxyz"), {"0": 0, "9": 9, "z": 25}),
        ((*"abcdefghijkl", "7"), {"7": 12, "6": 6, "8": 8, "9": 7, "l": 11}),
        (("7 8", "x", "٣"), {"7 8": 0, "x": 1, "٣": 2, "0": 0}),
    ],
)
def test_digit_names_the_class_of_that_name_and_else_the_class_of_its_key(
    names: tuple[str, ...], answers: dict[str, int]
) -> None:
    classes = ClassList.from_names(names)
    for text, class_id in answers.items():
        assert parse(text, classes) == ClassAnswer(class_id)
        assert parse(f"{text} .4", classes) == ClassAnswer(class_id, 0.4)
        assert parse(f"rename {text} as owl", classes) == RenameClass(class_id, "owl")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0", r"Digit 0 has no class \(use 1-3\)"),
        ("4 8", r"Digit 4 has no class \(use 1-3\)"),
        ("12", 'There is no class "12"'),
        ("12 5", 'There is no class "12"'),
        ("٢", 'There is no class "٢"'),
    ],
)
def test_number_without_a_class_is_refused_with_the_keys(line: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse(line, ClassList.from_names(("1", "2", "3")))


def test_digit_is_the_key_of_the_round_and_a_name_in_quotes_the_class() -> None:
    classes = ClassList.from_names(("cat", "dog", "1"))
    keys: DigitKeys = (0, 1, 2)  # the class 2 was renamed in this round
    assert parse("1", classes, keys) == ClassAnswer(1)
    assert parse("2", classes, keys) == ClassAnswer(2)
    assert parse('"1"', classes, keys) == ClassAnswer(2)
    assert parse('merge "1" into 1', classes, keys) == MergeClass(2, 1)

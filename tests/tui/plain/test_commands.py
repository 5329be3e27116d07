"""Test the parsing of the lines typed in the plain dialogue."""

from __future__ import annotations

import pytest

from vaetui.engine.answers import ClassAnswer, Split, Unreadable
from vaetui.engine.classes import AddClass, ClassList, MergeClass, RenameClass
from vaetui.errors import UserError
from vaetui.tui.plain.commands import SelectCluster, parse_command

PETS = ClassList.from_names(("cat", "cat fish", "7", "bird as bird", "add"))


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("7", ClassAnswer(7)),
        (" 7 1 ", ClassAnswer(7, 0.1)),
        ("7 1.0", ClassAnswer(7)),
        ("7 8", ClassAnswer(7, 0.8)),
        ("7 .8", ClassAnswer(7, 0.8)),
        ("7 0.8", ClassAnswer(7, 0.8)),
        ("12", ClassAnswer(12)),
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
    ],
)
def test_line_is_parsed_as_one_command(line: str, command: object) -> None:
    assert parse_command(line, 4) == command


@pytest.mark.parametrize("line", ["seven", "7 0", "7 10", "s x", "c", "c a", "-1", "7 8 9", "\x1b[A", "s 1000"])
def test_unknown_command_raises_user_error(line: str) -> None:
    with pytest.raises(UserError, match="Unknown command"):
        parse_command(line, 4)


def test_words_are_commands_where_letters_are_class_names() -> None:
    letters = ClassList.from_names("abcdefghijklmnopqrstuvwxyz")
    assert parse_command("g", 4, letters) == ClassAnswer(6)
    assert parse_command("s 3", 4, letters) == ClassAnswer(18, 0.3)
    for line, command in {
        "split 3": Split(3),
        "split": Split(4),
        "unreadable": Unreadable(),
        "cluster 3.1": SelectCluster((3, 1)),
        **{word: word for word in ("next", "undo", "redo", "members", "list", "go", "leave", "help")},
    }.items():
        assert parse_command(line, 4, letters) == command


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
        ("merge 9 into 0", MergeClass(9, 0)),
        ("add 8", ClassAnswer(4, 0.8)),
        ("classes", "classes"),
    ],
)
def test_line_is_parsed_as_one_class_edit(line: str, command: object) -> None:
    assert parse_command(line, 4, PETS) == command


@pytest.mark.parametrize("line", ["rename owl as hen", "merge cat into owl", "merge owl into cat"])
def test_edit_of_an_unknown_class_raises_user_error(line: str) -> None:
    with pytest.raises(UserError, match="Unknown class in"):
        parse_command(line, 4, PETS)


@pytest.mark.parametrize("line", ["rename cat", "merge", "merge cat", "add "])
def test_incomplete_class_edit_raises_user_error(line: str) -> None:
    with pytest.raises(UserError, match="Unknown command"):
        parse_command(line, 4, ClassList.from_names(("cat", "dog")))

"""The plain dialogue: every line that may be typed, and what comes back."""

from __future__ import annotations

import io

import pytest

from tests.tui.scripted import ScriptedSession
from vaetui.engine.answers import ClassAnswer, Split, Unreadable
from vaetui.engine.classes import AddClass, ClassList, MergeClass, RenameClass
from vaetui.engine.config import Config, NetworkConfig
from vaetui.errors import UserError
from vaetui.tui.plain.commands import COMMAND_HELP, SelectCluster, parse_command
from vaetui.tui.plain.dialogue import PlainDialogue


def said(session: ScriptedSession, typed: str) -> list[str]:
    """Lead a dialogue with these lines, and give what was said."""
    lines: list[str] = []
    PlainDialogue(session, io.StringIO(typed), lines.append).run()
    return lines


@pytest.mark.parametrize(
    ("line", "order"),
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
        ("", "next"),
        ("u", "undo"),
        ("U", "redo"),
        ("g", "go"),
        ("q", "leave"),
    ],
)
def test_a_line_means_one_thing(line: str, order: object) -> None:
    assert parse_command(line, 4) == order


@pytest.mark.parametrize("line", ["seven", "7 0", "7 10", "s x", "c", "c a", "-1", "7 8 9", "\x1b[A", "s 1000"])
def test_what_means_nothing_is_told_in_a_sentence(line: str) -> None:
    with pytest.raises(UserError, match="means nothing here"):
        parse_command(line, 4)


def test_where_letters_name_classes_orders_are_words() -> None:
    letters = ClassList.from_names("abcdefghijklmnopqrstuvwxyz")
    assert parse_command("g", 4, letters) == ClassAnswer(6)
    assert parse_command("s 3", 4, letters) == ClassAnswer(18, 0.3)
    for line, order in {
        "split 3": Split(3),
        "split": Split(4),
        "unreadable": Unreadable(),
        "centre 3.1": SelectCluster((3, 1)),
        **{word: word for word in ("next", "undo", "redo", "members", "list", "go", "leave", "help")},
    }.items():
        assert parse_command(line, 4, letters) == order


def test_classes_are_told_and_may_be_written_by_name() -> None:
    config = Config(network=NetworkConfig(classes=3))
    session = ScriptedSession(clusters=3, config=config, classes=("cat", "cat fish", "7"))
    lines = said(session, "cat fish 8\ncat\n2\n")
    assert "0 cat  1 cat fish  2 7" in lines
    assert [answer for _, answer in session.said] == [ClassAnswer(1, 0.8), ClassAnswer(0), ClassAnswer(2)]
    assert "saved: 0 is cat fish at 0.8" in lines


PETS = ClassList.from_names(("cat", "cat fish", "7", "bird as bird", "add"))


@pytest.mark.parametrize(
    ("line", "order"),
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
def test_a_line_does_one_thing_to_the_classes(line: str, order: object) -> None:
    assert parse_command(line, 4, PETS) == order


@pytest.mark.parametrize("line", ["rename owl as hen", "merge cat into owl", "merge owl into cat"])
def test_a_class_that_there_is_not_is_told(line: str) -> None:
    with pytest.raises(UserError, match="There is no such class in"):
        parse_command(line, 4, PETS)


@pytest.mark.parametrize("line", ["rename cat", "merge", "merge cat", "add "])
def test_half_a_sentence_means_nothing(line: str) -> None:
    with pytest.raises(UserError, match="means nothing here"):
        parse_command(line, 4, ClassList.from_names(("cat", "dog")))


def test_classes_are_added_renamed_and_merged_and_taken_back_in_order() -> None:
    config = Config(network=NetworkConfig(classes=3))
    session = ScriptedSession(clusters=4, config=config, classes=("cat", "dog", "cow"))
    lines = said(session, "add owl\nowl 8\nrename cow as calf\nmerge cat into dog\ncat\ndog\nclasses\nu\nu\nu\nU\n")
    assert "owl is a class now, with digit 3; u takes it back" in lines
    assert "saved: 0 is owl at 0.8" in lines
    assert "cow is called calf now; u takes it back" in lines
    assert "cat counts as dog from now on; u takes it back" in lines
    assert "cat counts as dog since they were merged." in lines
    assert "  class 0: cat, counts as dog" in lines
    assert "  class 1: dog, 1 answer" in lines
    assert "  class 3: owl, 1 answer" in lines
    assert lines.count("undo: the classes") == 2
    assert "redo: the classes" in lines
    assert session.classes.names == ("cat", "dog", "calf", "owl")
    assert [answer for _, answer in session.said] == [ClassAnswer(3, 0.8)]


def test_what_cannot_be_done_to_the_classes_is_told() -> None:
    session = ScriptedSession(clusters=2, config=Config(network=NetworkConfig(classes=2)), classes=("cat", "dog"))
    lines = said(session, f"add cat\nadd {'x' * 101}\nmerge cat into dog\nrename 0 as dog\n")
    assert "There is a class cat already." in lines
    assert any("cannot name a class; up to 100" in line for line in lines)
    assert "Two classes have to be left: these cannot be merged." in lines
    assert "There is a class dog already." in lines
    assert session.named == []


def test_answers_are_kept_and_the_next_centre_is_shown() -> None:
    session = ScriptedSession(clusters=3)
    lines = said(session, "7\n4 6\nx\n")
    assert [answer for _, answer in session.said] == [ClassAnswer(7), ClassAnswer(4, 0.6), Unreadable()]
    assert "saved: 1 is 4 at 0.6" in lines
    assert any(line.startswith("centre 2: ") for line in lines)
    assert any("g goes on training" in line for line in lines)


def test_a_picture_is_letters_in_lines_without_any_control_character() -> None:
    lines = said(ScriptedSession(clusters=1), "m\n")
    assert all(character.isprintable() for line in lines for character in line)
    assert sum("@" in line or "#" in line for line in lines) > 10
    assert max(map(len, lines)) <= 80


def test_a_split_asks_its_parts_and_undo_takes_it_back() -> None:
    session = ScriptedSession(clusters=2)
    lines = said(session, "s 3\n5\nc 0.2\n8\nu\nu\nu\nu\nU\n")
    assert "saved: centre 0 is split into 3" in lines
    assert "saved: 0.0 is 5" in lines
    assert "saved: 0.2 is 8" in lines
    assert "undo: centre 0" in lines
    assert "nothing to undo" in lines
    assert "redo: centre 0" in lines
    assert session.said == [((0,), Split(3))]


def test_going_on_asks_first_while_centres_are_open() -> None:
    session = ScriptedSession(clusters=2, rounds=1)
    lines = said(session, "g\n1\ng\ng\n")
    assert lines.count("2 centres have no answer; g again goes on without them") == 1
    assert lines.count("1 centre has no answer; g again goes on without it") == 1
    assert session.phase == "finished"
    assert lines[-1] == "The run is over."


def test_nonsense_an_unknown_class_and_an_unknown_centre_change_nothing() -> None:
    session = ScriptedSession(clusters=2)
    lines = said(session, "hello\nc 9\n?\nl\nq\n5\n")
    assert session.said == []
    assert any("'hello' means nothing here" in line for line in lines)
    assert any("There is no centre 9" in line for line in lines)
    for typed, _ in COMMAND_HELP:
        assert any(line.startswith(f"  {typed} ") for line in lines)


def test_the_end_of_the_input_leaves_and_closes_what_runs() -> None:
    session = ScriptedSession("training", clusters=2)
    lines = said(session, "")
    assert session.phase == "labelling"
    assert any(line.startswith("epoch 1 of 6 ended") for line in lines)


def test_a_line_that_is_too_long_means_nothing_and_the_next_one_counts() -> None:
    session = ScriptedSession(clusters=2)
    lines = said(session, f"7{' ' * 500}\n7{' ' * 78}\n{'8' * 200}\n5\n")
    assert sum("means nothing here" in line for line in lines) == 2
    assert [answer for _, answer in session.said] == [ClassAnswer(7), ClassAnswer(5)]


def test_a_last_line_without_an_end_is_told_and_not_taken() -> None:
    session = ScriptedSession(clusters=2)
    assert "'7' was not taken: a line that is meant ends with Enter" in said(session, "5\n7")
    assert [answer for _, answer in session.said] == [ClassAnswer(5)]

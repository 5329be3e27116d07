"""Tests of the keys of the labelling screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaetui.engine.answers import ClassAnswer, Split, Unreadable
from vaetui.engine.classes import ClassList, MergeClass
from vaetui.tui.presenters.key_parser import Action, FocusedClusterInfo, KeyParser, format_question

FOCUS = FocusedClusterInfo("8", 300, 5)
KEYS = [
    *"0123456789",
    *("accept", "cancel", "split", "unreadable", "undo", "redo", "lower", "raise", "one_key_mode", "go", "members"),
    *("next", "previous", "left", "right", "up", "down", "pictures", "other"),
]


def create_parser(class_count: int = 10) -> KeyParser:
    return KeyParser(ClassList.from_names("0123456789"[:class_count]), tuple(range(class_count)))


def type_keys(parser: KeyParser, *keys: str, focus: FocusedClusterInfo = FOCUS) -> tuple[KeyParser, list[Action]]:
    """Return the parser after the keys, and all actions in order."""
    actions = []
    for key in keys:
        parser, action = parser.handle_key(key, focus)
        if action is not None:
            actions.append(action)
    return parser, actions


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("9", "accept"), ClassAnswer(9, 1.0)),
        (("0", "accept"), ClassAnswer(0, 1.0)),
        (("3", "8"), ClassAnswer(3, 0.8)),
        (("3", "1"), ClassAnswer(3, 0.1)),
        (("3", "cancel", "4", "9"), ClassAnswer(4, 0.9)),
        (("3", "0", "5"), ClassAnswer(3, 0.5)),
        (("unreadable",), Unreadable()),
        (("split", "accept"), Split(4)),
        (("split", "6", "accept"), Split(6)),
        (("split", "1", "0", "accept"), Split(10)),
        (("split", "6", "2", "accept"), Split(2)),
        (("split", "cancel", "2", "accept"), ClassAnswer(2, 1.0)),
    ],
)
def test_key_sequence_results_in_one_answer(keys: tuple[str, ...], answer: Action) -> None:
    parser, actions = type_keys(create_parser(), *keys)
    assert actions == [answer]
    assert parser.state == "class"


def test_one_key_mode_answers_with_the_last_confidence() -> None:
    _, actions = type_keys(create_parser(), "3", "7", "one_key_mode", "5", "6", "one_key_mode", "2", "accept")
    assert actions == [ClassAnswer(3, 0.7), ClassAnswer(5, 0.7), ClassAnswer(6, 0.7), ClassAnswer(2, 1.0)]


def test_one_key_mode_starts_with_confidence_one() -> None:
    assert type_keys(create_parser(), "one_key_mode", "5")[1] == [ClassAnswer(5, 1.0)]


@pytest.mark.parametrize("key", [key for key in KEYS if key not in "123456789" and key not in ("accept", "cancel")])
def test_invalid_key_for_the_confidence_keeps_the_class_and_shows_a_hint(key: str) -> None:
    parser, actions = type_keys(create_parser(), "3", key)
    assert actions == []
    assert (parser.state, parser.typed_text) == ("confidence", "3")
    assert parser.hint == "Enter: certain · 1-9: confidence 0.1-0.9 · Esc: cancel"


@pytest.mark.parametrize(
    ("keys", "hint"),
    [
        (("accept",), "Type a class first (0-9)"),
        (("other",), "Unknown key. ? lists all keys"),
        (("3", "x"), "Enter: certain · 1-9: confidence 0.1-0.9 · Esc: cancel"),
        (("split", "x"), "Enter: split · 2-10: change · Esc: cancel"),
        (("go", "x"), "g: train anyway · Esc: stay"),
    ],
)
def test_invalid_key_shows_a_hint_that_fits_80_columns_with_its_question(keys: tuple[str, ...], hint: str) -> None:
    parser, _ = type_keys(create_parser(), *keys)
    assert parser.hint == hint
    question, help_text = format_question(parser, FOCUS)
    assert len(f"{question}  ! {hint}") <= 78
    assert len(f"{question}  {help_text}") <= 78


def test_digit_without_a_class_shows_the_digits_with_one() -> None:
    parser, actions = type_keys(create_parser(4), "7")
    assert (actions, parser.hint) == ([], "Digit 7 has no class (use 0-3)")


def test_digit_of_a_merged_class_shows_the_class_that_it_was_merged_into() -> None:
    classes = create_parser(4).classes.with_edit(MergeClass(1, 3))
    parser, actions = type_keys(KeyParser(classes, (0, 1, 2, 3)), "1")
    assert (actions, parser.state, parser.hint) == ([], "class", 'Class "1" was merged into "3"')
    assert type_keys(KeyParser(classes, (0, None, 2, 3)), "1")[0].hint == "Digit 1 has no class (use 0, 2-3)"


def test_digit_without_a_class_is_still_a_confidence() -> None:
    assert type_keys(create_parser(4), "2", "9")[1] == [ClassAnswer(2, 0.9)]


def test_cluster_is_not_split_into_more_parts_than_images() -> None:
    small_focus = FocusedClusterInfo("8.1", 3, 5)
    assert type_keys(create_parser(), "split", "accept", focus=small_focus)[1] == [Split(3)]
    parser, actions = type_keys(create_parser(), "split", "7", "accept", focus=small_focus)
    assert (actions, parser.state, parser.hint) == ([], "parts", "The cluster has 3 images: at most 3 parts")
    assert type_keys(create_parser(), "split", focus=FocusedClusterInfo("8.2", 1, 5))[0].state == "class"


def test_split_into_one_part_is_refused() -> None:
    parser, actions = type_keys(create_parser(), "split", "1", "accept")
    assert (actions, parser.state) == ([], "parts")


def test_go_needs_a_confirmation_while_clusters_have_no_answer() -> None:
    parser, actions = type_keys(create_parser(), "go")
    assert actions == []
    assert format_question(parser, FOCUS) == ("5 clusters have no answer.", "g: train anyway · Esc: stay")
    assert format_question(parser, FocusedClusterInfo("8", 300, 1))[0] == "1 cluster has no answer."
    assert type_keys(create_parser(), "go", "go")[1] == ["go"]
    assert type_keys(create_parser(), "go", "cancel", "undo")[1] == ["undo"]
    assert type_keys(create_parser(), "go", focus=FocusedClusterInfo("8", 300, 0))[1] == ["go"]


def test_digit_during_the_confirmation_is_not_an_answer() -> None:
    parser, actions = type_keys(create_parser(), "go", "5", "accept")
    assert (actions, parser.state) == ([], "leave")


@given(st.lists(st.sampled_from(KEYS)))
def test_any_keys_yield_valid_answers_and_cancel_returns_to_the_first_state(keys: list[str]) -> None:
    parser, actions = type_keys(create_parser(5), *keys)
    for action in actions:
        if isinstance(action, ClassAnswer):
            assert 0 <= action.class_id < 5
            assert 0.1 <= action.confidence <= 1
        if isinstance(action, Split):
            assert 2 <= action.parts <= 10
    assert type_keys(parser, "cancel")[0].state == "class"


def test_digits_choose_their_classes_and_other_classes_are_chosen_by_name() -> None:
    parser = KeyParser(ClassList.from_names([f"class {class_id}" for class_id in range(26)]), (3, 7, 25))
    assert type_keys(parser, "2", "accept")[1] == [ClassAnswer(25, 1.0)]
    assert type_keys(parser, "3")[0].hint == "Digit 3 has no class (use 0-2)"
    assert type_keys(parser, "choose")[1] == ["choose"]
    parser_with_class, action = parser.select_class(12)
    assert action is None
    assert type_keys(parser_with_class, "8")[1] == [ClassAnswer(12, 0.8)]
    assert type_keys(parser, "one_key_mode")[0].select_class(12)[1] == ClassAnswer(12, 1.0)

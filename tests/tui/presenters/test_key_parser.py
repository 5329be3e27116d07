"""Tests of the keys of the labelling screen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from vaetui.engine.answers import ClassAnswer, NearestImageAnswer, Split, Unreadable
from vaetui.engine.classes import AddClass, ClassList, MergeClass
from vaetui.tui.presenters.key_parser import Action, FocusedClusterInfo, KeyParser, format_question
from vaetui.tui.widgets.prompt import fit_parts

FOCUS = FocusedClusterInfo("8", 300, 5)
KEYS = [
    *"0123456789",
    *("accept", "cancel", "split", "unreadable", "undo", "redo", "lower", "raise", "one_key_mode", "go", "members"),
    *("next", "previous", "left", "right", "up", "down", "pictures", "other", "accept_all", "clear", "sort"),
    "nearest",
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
        (("3", "nearest"), NearestImageAnswer(3)),
        (("nearest", "3"), NearestImageAnswer(3)),
        (("nearest", "nearest", "3", "8"), ClassAnswer(3, 0.8)),
        (("nearest", "split", "go", "3"), NearestImageAnswer(3)),
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


def test_one_key_mode_answers_at_once_with_confidence_one() -> None:
    _, actions = type_keys(create_parser(), "3", "7", "one_key_mode", "5", "6", "one_key_mode", "2", "accept")
    answers = [ClassAnswer(3, 0.7), ClassAnswer(5), ClassAnswer(6), ClassAnswer(2)]
    assert [action for action in actions if action != "one_key_mode"] == answers
    assert actions.count("one_key_mode") == 2


@pytest.mark.parametrize(
    ("keys", "actions"),
    [
        (("accept",), [ClassAnswer(7)]),
        (("accept", "accept"), [ClassAnswer(7), ClassAnswer(7)]),
        (("4", "cancel", "accept"), [ClassAnswer(7)]),
        (("other", "accept"), []),
        (("other", "accept", "accept"), [ClassAnswer(7)]),
        (("9", "accept"), []),
        (("go", "accept", "cancel", "accept"), [ClassAnswer(7)]),
        (("split", "accept"), [Split(4)]),
    ],
)
def test_enter_accepts_the_guess_unless_the_last_key_was_refused(keys: tuple[str, ...], actions: list[Action]) -> None:
    focus = FocusedClusterInfo("8", 300, 5, guess=7, guess_text="7 · 63 %")
    parser = create_parser(8)
    assert format_question(parser, focus)[0] == "Cluster 8: class? Enter: 7 · 63 %"
    assert type_keys(parser, *keys, focus=focus)[1] == actions


def test_enter_names_what_to_do_where_there_is_no_guess() -> None:
    answered = FocusedClusterInfo("8", 300, 5, is_answered=True)
    assert type_keys(create_parser(), "accept", focus=answered)[0].hint == (
        "Cluster 8 has an answer. Type a class to change it"
    )
    complete = FocusedClusterInfo("8", 300, 0, is_answered=True)
    assert type_keys(create_parser(), "accept", focus=complete)[0].hint == "All clusters have answers. g: train"
    assert format_question(create_parser(), complete)[0] == "All clusters have answers. g: train"


def test_accept_all_asks_once_with_the_number_and_the_classes() -> None:
    focus = FocusedClusterInfo("8", 300, 9, sure_count=6, sure_text="1: 5, 7: 1")
    parser, actions = type_keys(create_parser(), "accept_all", focus=focus)
    assert actions == []
    assert format_question(parser, focus) == (
        "Accept 6 clusters as predicted (1: 5, 7: 1)?",
        "A: accept · Esc: cancel",
    )
    assert type_keys(parser, "accept_all", focus=focus)[1] == ["accept_all"]
    for key in ("cancel", "accept", "1", "other"):
        assert type_keys(parser, key, focus=focus)[1] == [], key
    parser, actions = type_keys(create_parser(), "accept_all", focus=FOCUS)
    assert (actions, parser.state) == ([], "class")
    assert parser.hint == "No open cluster is predicted with 95 % or more"


@pytest.mark.parametrize(
    ("key", "is_on", "actions"),
    [
        ("one_key_mode", True, ["one_key_mode"]),
        ("cancel", False, []),
        ("accept", False, []),
        ("unreadable", False, [Unreadable()]),
    ],
)
def test_offer_of_one_key_mode_ends_with_the_next_key(key: str, is_on: bool, actions: list[Action]) -> None:
    parser = replace(create_parser(), offers_one_key_mode=True)
    focus = FocusedClusterInfo("8", 300, 5, guess=7, guess_text="7 · 63 %")
    assert format_question(parser, focus)[0] == "Answer with one key? a: on · Esc: no"
    next_parser, next_actions = type_keys(parser, key, focus=focus)
    assert (next_parser.is_one_key_mode, next_actions) == (is_on, actions)
    assert not next_parser.offers_one_key_mode


def test_new_class_is_part_of_the_input_until_it_is_cancelled() -> None:
    new_class = AddClass(10, "owl")
    parser, action = create_parser().select_class(10, new_class)
    assert action is None
    assert format_question(parser, FOCUS)[0] == "Cluster 8: class? owl (new)_"
    answered, actions = type_keys(parser, "accept")
    assert (actions, answered.new_class) == ([ClassAnswer(10)], new_class)
    assert type_keys(parser, "cancel")[0].new_class is None


def test_rebound_keys_are_named_in_hints() -> None:
    names = {"label.sure": "F2", "label.cancel": "Del", "label.go": "t", "label.accept_all": "y", "any.help": "F1"}
    parser = replace(create_parser(), format_key=lambda binding_id: names.get(binding_id, "?"))
    focus = FocusedClusterInfo("8", 300, 5, guess=7, guess_text="7 · 63 %", sure_count=2, sure_text="7: 2")
    assert format_question(parser, focus) == ("Cluster 8: class? F2: 7 · 63 %", "y: accept 2 above 95 % · 0-9: class")
    assert type_keys(parser, "go", focus=focus)[0].leave_hint == "t: train anyway · Del: stay"
    assert type_keys(parser, "other", focus=focus)[0].hint == "Unknown key. F1 lists all keys"


@pytest.mark.parametrize(
    "key", [key for key in KEYS if key not in "123456789" and key not in ("accept", "cancel", "clear", "nearest")]
)
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


@pytest.mark.parametrize("max_cells", [58, 78, 118, 198])
@pytest.mark.parametrize("name", ["y", "Grossflächiger_Hornblattkäfer_(Weibchen)", "猫の写真とても長い名前"])
@pytest.mark.parametrize("cluster_name", ["3", "14.10.2"])
def test_question_and_its_keys_fit_with_any_class_name(max_cells: int, name: str, cluster_name: str) -> None:
    focus = FocusedClusterInfo(cluster_name, 300, 5)
    parser = KeyParser(ClassList.from_names((name, *"bcdefghij")), tuple(range(10)))
    typed_parser, _ = type_keys(parser, "0", focus=focus)
    question, help_text = format_question(typed_parser, focus, max_cells)
    help_text = fit_parts(help_text, max_cells - cell_len(question) - 2)
    assert help_text.startswith("Enter: certain")
    if max_cells >= 78:
        assert cell_len(f"{question}  {help_text}") <= max_cells
        assert "Enter: certain · 1-9: confidence" in help_text
        assert help_text.endswith(" · Esc: cancel")
    offer = replace(parser, offers_one_key_mode=True)
    for class_parser in (parser, offer, replace(parser, is_one_key_mode=True)):
        question, help_text = format_question(class_parser, focus, max_cells)
        assert cell_len(f"{question}  {help_text}") <= max_cells
        assert "0-9: class" in help_text

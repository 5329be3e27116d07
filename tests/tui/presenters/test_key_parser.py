"""Keys become answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaetui.engine.answers import ClassAnswer, Split, Unreadable
from vaetui.engine.classes import ClassList, MergeClass
from vaetui.tui.presenters.key_parser import Action, Focus, KeyParser

SPOT = Focus("8", 300, 5)
KEYS = [
    *"0123456789",
    *("accept", "cancel", "split", "unreadable", "undo", "redo", "lower", "raise", "one_key_mode", "go", "members"),
    *("next", "previous", "left", "right", "up", "down", "pictures", "other"),
]

DIGITS = ClassList.from_names("0123456789")


def first(count: int) -> ClassList:
    return ClassList.from_names("0123456789"[:count])


def typed(entry: KeyParser, *keys: str, spot: Focus = SPOT) -> tuple[KeyParser, list[Action]]:
    deeds = []
    for key in keys:
        entry, deed = entry.handle_key(key, spot)
        if deed is not None:
            deeds.append(deed)
    return entry, deeds


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
def test_keys_come_to_one_answer(keys: tuple[str, ...], answer: Action) -> None:
    entry, deeds = typed(KeyParser(DIGITS, tuple(range(10))), *keys)
    assert deeds == [answer]
    assert entry.state == "class"


def test_one_key_mode_answers_at_the_last_used_confidence() -> None:
    _, deeds = typed(KeyParser(DIGITS, tuple(range(10))), "3", "7", "one_key_mode", "5", "6", "one_key_mode", "2", "accept")
    assert deeds == [ClassAnswer(3, 0.7), ClassAnswer(5, 0.7), ClassAnswer(6, 0.7), ClassAnswer(2, 1.0)]


def test_one_key_mode_begins_sure() -> None:
    assert typed(KeyParser(DIGITS, tuple(range(10))), "one_key_mode", "5")[1] == [ClassAnswer(5, 1.0)]


@pytest.mark.parametrize("key", [key for key in KEYS if key not in "123456789" and key not in ("accept", "cancel")])
def test_a_wrong_key_for_the_confidence_loses_nothing_and_says_what_works(key: str) -> None:
    entry, deeds = typed(KeyParser(DIGITS, tuple(range(10))), "3", key)
    assert deeds == []
    assert (entry.state, entry.typed_text) == ("confidence", "3")
    assert "Enter = sure" in entry.hint
    assert len(entry.hint) <= 72


def test_a_class_that_there_is_not_says_which_there_are() -> None:
    entry, deeds = typed(KeyParser(first(4), tuple(range(4))), "7")
    assert (deeds, entry.hint) == ([], "there is no class 7: 0-3 name one")


def test_the_digit_of_a_merged_class_says_what_it_counts_as() -> None:
    merged = first(4).apply(MergeClass(1, 3))
    entry, deeds = typed(KeyParser(merged, (0, 1, 2, 3)), "1")
    assert (deeds, entry.state, entry.hint) == ([], "class", "1 counts as 3")
    assert typed(KeyParser(merged, (0, None, 2, 3)), "1")[0].hint == "there is no class 1: 0, 2-3 name one"


def test_a_digit_counts_as_confidence_even_where_it_is_no_class() -> None:
    assert typed(KeyParser(first(4), tuple(range(4))), "2", "9")[1] == [ClassAnswer(2, 0.9)]


def test_a_cluster_is_not_split_into_more_parts_than_images() -> None:
    small = Focus("8.1", 3, 5)
    assert typed(KeyParser(DIGITS, tuple(range(10))), "split", "accept", spot=small)[1] == [Split(3)]
    entry, deeds = typed(KeyParser(DIGITS, tuple(range(10))), "split", "7", "accept", spot=small)
    assert (deeds, entry.state, entry.hint) == ([], "parts", "it has 3 images: at most 3 parts")
    assert typed(KeyParser(DIGITS, tuple(range(10))), "split", spot=Focus("8.2", 1, 5))[0].state == "class"


def test_one_part_is_no_split() -> None:
    entry, deeds = typed(KeyParser(DIGITS, tuple(range(10))), "split", "1", "accept")
    assert (deeds, entry.state) == ([], "parts")


def test_going_on_asks_first_while_centres_are_open() -> None:
    assert typed(KeyParser(DIGITS, tuple(range(10))), "go")[1] == []
    assert typed(KeyParser(DIGITS, tuple(range(10))), "go", "go")[1] == ["go"]
    assert typed(KeyParser(DIGITS, tuple(range(10))), "go", "cancel", "undo")[1] == ["undo"]
    assert typed(KeyParser(DIGITS, tuple(range(10))), "go", spot=Focus("8", 300, 0))[1] == ["go"]


def test_a_digit_does_not_slip_through_the_question_whether_to_go_on() -> None:
    entry, deeds = typed(KeyParser(DIGITS, tuple(range(10))), "go", "5", "accept")
    assert (deeds, entry.state) == ([], "leave")


@given(st.lists(st.sampled_from(KEYS)))
def test_whatever_is_pressed_escape_leads_back_and_every_answer_is_valid(keys: list[str]) -> None:
    entry, deeds = typed(KeyParser(first(5), tuple(range(5))), *keys)
    for deed in deeds:
        if isinstance(deed, ClassAnswer):
            assert 0 <= deed.class_id < 5
            assert 0.1 <= deed.confidence <= 1
        if isinstance(deed, Split):
            assert 2 <= deed.parts <= 10
    assert typed(entry, "cancel")[0].state == "class"


def test_digits_stand_for_their_favourites_and_any_class_can_be_chosen() -> None:
    many = KeyParser(ClassList.from_names([f"kind {at}" for at in range(26)]), (3, 7, 25))
    assert typed(many, "2", "accept")[1] == [ClassAnswer(25, 1.0)]
    assert typed(many, "3")[0].hint == "there is no class 3: 0-2 name one"
    assert typed(many, "choose")[1] == ["choose"]
    chosen, deed = many.choose_class(12)
    assert deed is None
    assert typed(chosen, "8")[1] == [ClassAnswer(12, 0.8)]
    assert typed(many, "one_key_mode")[0].choose_class(12)[1] == ClassAnswer(12, 1.0)

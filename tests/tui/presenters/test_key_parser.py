"""Keys become answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaetui.engine.answers import Label, Split, Unreadable
from vaetui.engine.classes import Classes, Merged
from vaetui.tui.presenters.key_parser import Deed, Entry, Spot

SPOT = Spot("8", 300, 5)
KEYS = [
    *"0123456789",
    *("accept", "cancel", "split", "unreadable", "undo", "redo", "lower", "raise", "one", "go", "members"),
    *("next", "previous", "left", "right", "up", "down", "pictures", "other"),
]

DIGITS = Classes.named("0123456789")


def first(count: int) -> Classes:
    return Classes.named("0123456789"[:count])


def typed(entry: Entry, *keys: str, spot: Spot = SPOT) -> tuple[Entry, list[Deed]]:
    deeds = []
    for key in keys:
        entry, deed = entry.press(key, spot)
        if deed is not None:
            deeds.append(deed)
    return entry, deeds


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("9", "accept"), Label(9, 1.0)),
        (("0", "accept"), Label(0, 1.0)),
        (("3", "8"), Label(3, 0.8)),
        (("3", "1"), Label(3, 0.1)),
        (("3", "cancel", "4", "9"), Label(4, 0.9)),
        (("3", "0", "5"), Label(3, 0.5)),
        (("unreadable",), Unreadable()),
        (("split", "accept"), Split(4)),
        (("split", "6", "accept"), Split(6)),
        (("split", "1", "0", "accept"), Split(10)),
        (("split", "6", "2", "accept"), Split(2)),
        (("split", "cancel", "2", "accept"), Label(2, 1.0)),
    ],
)
def test_keys_come_to_one_answer(keys: tuple[str, ...], answer: Deed) -> None:
    entry, deeds = typed(Entry(DIGITS, tuple(range(10))), *keys)
    assert deeds == [answer]
    assert entry.waits == "class"


def test_one_key_mode_answers_at_the_last_used_confidence() -> None:
    _, deeds = typed(Entry(DIGITS, tuple(range(10))), "3", "7", "one", "5", "6", "one", "2", "accept")
    assert deeds == [Label(3, 0.7), Label(5, 0.7), Label(6, 0.7), Label(2, 1.0)]


def test_one_key_mode_begins_sure() -> None:
    assert typed(Entry(DIGITS, tuple(range(10))), "one", "5")[1] == [Label(5, 1.0)]


@pytest.mark.parametrize("key", [key for key in KEYS if key not in "123456789" and key not in ("accept", "cancel")])
def test_a_wrong_key_for_the_confidence_loses_nothing_and_says_what_works(key: str) -> None:
    entry, deeds = typed(Entry(DIGITS, tuple(range(10))), "3", key)
    assert deeds == []
    assert (entry.waits, entry.typed) == ("confidence", "3")
    assert "Enter = sure" in entry.hint
    assert len(entry.hint) <= 72


def test_a_class_that_there_is_not_says_which_there_are() -> None:
    entry, deeds = typed(Entry(first(4), tuple(range(4))), "7")
    assert (deeds, entry.hint) == ([], "there is no class 7: 0-3 name one")


def test_the_digit_of_a_merged_class_says_what_it_counts_as() -> None:
    merged = first(4).after(Merged(1, 3))
    entry, deeds = typed(Entry(merged, (0, 1, 2, 3)), "1")
    assert (deeds, entry.waits, entry.hint) == ([], "class", "1 counts as 3")
    assert typed(Entry(merged, (0, None, 2, 3)), "1")[0].hint == "there is no class 1: 0, 2-3 name one"


def test_a_digit_counts_as_confidence_even_where_it_is_no_class() -> None:
    assert typed(Entry(first(4), tuple(range(4))), "2", "9")[1] == [Label(2, 0.9)]


def test_a_cluster_is_not_split_into_more_parts_than_images() -> None:
    small = Spot("8.1", 3, 5)
    assert typed(Entry(DIGITS, tuple(range(10))), "split", "accept", spot=small)[1] == [Split(3)]
    entry, deeds = typed(Entry(DIGITS, tuple(range(10))), "split", "7", "accept", spot=small)
    assert (deeds, entry.waits, entry.hint) == ([], "parts", "it has 3 images: at most 3 parts")
    assert typed(Entry(DIGITS, tuple(range(10))), "split", spot=Spot("8.2", 1, 5))[0].waits == "class"


def test_one_part_is_no_split() -> None:
    entry, deeds = typed(Entry(DIGITS, tuple(range(10))), "split", "1", "accept")
    assert (deeds, entry.waits) == ([], "parts")


def test_going_on_asks_first_while_centres_are_open() -> None:
    assert typed(Entry(DIGITS, tuple(range(10))), "go")[1] == []
    assert typed(Entry(DIGITS, tuple(range(10))), "go", "go")[1] == ["go"]
    assert typed(Entry(DIGITS, tuple(range(10))), "go", "cancel", "undo")[1] == ["undo"]
    assert typed(Entry(DIGITS, tuple(range(10))), "go", spot=Spot("8", 300, 0))[1] == ["go"]


def test_a_digit_does_not_slip_through_the_question_whether_to_go_on() -> None:
    entry, deeds = typed(Entry(DIGITS, tuple(range(10))), "go", "5", "accept")
    assert (deeds, entry.waits) == ([], "leave")


@given(st.lists(st.sampled_from(KEYS)))
def test_whatever_is_pressed_escape_leads_back_and_every_answer_is_valid(keys: list[str]) -> None:
    entry, deeds = typed(Entry(first(5), tuple(range(5))), *keys)
    for deed in deeds:
        if isinstance(deed, Label):
            assert 0 <= deed.label < 5
            assert 0.1 <= deed.confidence <= 1
        if isinstance(deed, Split):
            assert 2 <= deed.parts <= 10
    assert typed(entry, "cancel")[0].waits == "class"


def test_digits_stand_for_their_favourites_and_any_class_can_be_chosen() -> None:
    many = Entry(Classes.named([f"kind {at}" for at in range(26)]), (3, 7, 25))
    assert typed(many, "2", "accept")[1] == [Label(25, 1.0)]
    assert typed(many, "3")[0].hint == "there is no class 3: 0-2 name one"
    assert typed(many, "choose")[1] == ["choose"]
    chosen, deed = many.choose(12)
    assert deed is None
    assert typed(chosen, "8")[1] == [Label(12, 0.8)]
    assert typed(many, "one")[0].choose(12)[1] == Label(12, 1.0)

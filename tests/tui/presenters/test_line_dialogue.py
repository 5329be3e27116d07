"""Tests of a line dialogue: what the typed text matches, and what each key chooses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaetui.tui.presenters.line_dialogue import (
    EMPTY_FIELD_HINT,
    EMPTY_TEXT_HINT,
    NO_MATCH_HINT,
    Choice,
    LineDialogue,
    find_matches,
)

NAMES = ("cat", "wild dog", "Dogfish", "thrush", "Bär", "dog")
CHARACTERS = {"space": " ", "full_stop": "."}


def create_dialogue(chosen: list[object], text: str = "", *, accepts_text: bool = False) -> LineDialogue:
    """Create a dialogue about the names, with new names allowed that are not "bad"."""
    return LineDialogue(
        "Class?",
        [Choice(name, index) for index, name in enumerate(NAMES)],
        on_choice=chosen.append,
        create=lambda name: None if name in NAMES else Choice(f"new class {name}", f"+{name}"),
        accepts_text=accepts_text,
        text=text,
        check=lambda typed: "bad is no name" if typed == "bad" else "",
    )


def type_keys(dialogue: LineDialogue, *keys: str) -> bool:
    """Press keys until the dialogue is over, hand over its choice, and return whether it is over."""
    for key in keys:
        if dialogue.handle_key(key, CHARACTERS.get(key, key if len(key) == 1 else None)):
            dialogue.finish()
            return True
    return False


@pytest.mark.parametrize(
    ("keys", "choices"),
    [
        ("t h r enter", [3]),
        ("d o g enter", [5]),
        ("d o g down enter", [2]),
        ("d o g down down enter", [1]),
        ("g o d ctrl+w d o g enter", [5]),
        ("down enter", [0]),
        ("down down down up enter", [1]),
        ("tab tab shift+tab enter", [0]),
        ("pagedown pagedown enter", [5]),
        ("pagedown pagedown pageup enter", [0]),
        ("d o g space w enter", [1]),
        ("o w l ctrl+n", ["+owl"]),
        ("x backspace t h enter", [3]),
        ("c a t left left delete backspace ctrl+k c enter", [0]),
        ("a t home c end enter", [0]),
        ("escape", []),
        ("t h escape", []),
        ("t h ctrl+c", []),
    ],
)
def test_keys_end_with_the_choice(keys: str, choices: list[object]) -> None:
    chosen: list[object] = []
    assert type_keys(create_dialogue(chosen), *keys.split())
    assert chosen == choices


@pytest.mark.parametrize(
    ("keys", "hint"),
    [
        ("enter", EMPTY_FIELD_HINT),
        ("space enter", EMPTY_FIELD_HINT),
        ("o w l enter", NO_MATCH_HINT),
        ("ctrl+n", EMPTY_TEXT_HINT),
        ("d o g ctrl+n", NO_MATCH_HINT),
        ("b a d ctrl+n", "bad is no name"),
        ("q q down", NO_MATCH_HINT),
        ("enter d", ""),
    ],
)
def test_line_stays_open_and_shows_why_a_key_chose_nothing(keys: str, hint: str) -> None:
    chosen: list[object] = []
    dialogue = create_dialogue(chosen)
    assert not type_keys(dialogue, *keys.split())
    assert (dialogue.hint, chosen) == (hint, [])


def test_text_is_handed_over_unless_a_choice_was_marked() -> None:
    chosen: list[object] = []
    assert type_keys(create_dialogue(chosen, accepts_text=True), *"cat", "full_stop", "enter")
    assert type_keys(create_dialogue(chosen, accepts_text=True), "c", "down", "enter")
    assert type_keys(create_dialogue(chosen, "labels", accepts_text=True), "left", "backspace", "enter")
    assert chosen == ["cat.", 0, "labes"]
    dialogue = create_dialogue(chosen, accepts_text=True)
    assert not type_keys(dialogue, "enter")
    assert dialogue.hint == EMPTY_TEXT_HINT
    assert not type_keys(dialogue, *"bad", "enter")
    assert dialogue.hint == "bad is no name"


def test_pasted_text_becomes_one_line_and_chooses_nothing() -> None:
    chosen: list[object] = []
    dialogue = create_dialogue(chosen)
    dialogue.paste("\nwild\t\r\ndog\x1b\x00\n")
    assert dialogue.text == "wild dog"
    assert [choice.label for choice in dialogue.matches] == ["wild dog"]
    assert chosen == []
    type_keys(dialogue, "enter")
    assert chosen == [1]


def test_whole_names_come_first_then_beginnings_then_beginnings_of_words() -> None:
    labels = ["a hotdog", "wild dog", "dogfish", "dog"]
    assert find_matches(labels, " Dog ") == [3, 2, 1, 0]
    assert find_matches(labels, "") == [0, 1, 2, 3]
    assert find_matches(["merge classes", "add a class"], "class add") == [1]


def test_names_are_found_in_any_case_and_encoding_of_accents() -> None:
    chosen: list[object] = []
    assert type_keys(create_dialogue(chosen), "B", "a\u0308", "enter")
    assert chosen == [4]


@given(st.lists(st.sampled_from([*"abdot", "enter", "backspace", "left", "ctrl+u", "ctrl+w", "space", "down"])))
def test_enter_chooses_a_match_of_the_typed_text_and_never_from_an_empty_field(keys: list[str]) -> None:
    chosen: list[object] = []
    dialogue = create_dialogue(chosen)
    text, has_moved = "", False
    for key in keys:
        text, has_moved = dialogue.text, has_moved or key == "down"
        if type_keys(dialogue, key):
            break
    if chosen:
        assert isinstance(chosen[0], int)
        assert all(word.casefold() in NAMES[chosen[0]].casefold() for word in text.split())
        assert text.strip() or has_moved

"""Test the names of keys: what a config file may call them, and how texts write them."""

from __future__ import annotations

import string

import pytest
from textual.keys import _character_to_key

from vaetui.tui.key_bindings import format_key_list, format_key_name, parse_key_name


@pytest.mark.parametrize("character", [*string.digits, *string.ascii_letters, *string.punctuation, "é", "ß", "ж", "§"])
def test_every_character_is_a_key_and_is_written_as_itself(character: str) -> None:
    key = parse_key_name(character)
    assert key == _character_to_key(character)
    assert key is not None
    assert format_key_name(key) == character
    assert parse_key_name(key) == key


@pytest.mark.parametrize(
    ("text", "key", "name"),
    [
        ("Enter", "enter", "Enter"),
        ("return", "enter", "Enter"),
        ("ESC", "escape", "Esc"),
        ("Space", "space", "Space"),
        (" ", "space", "Space"),
        ("PgUp", "pageup", "PgUp"),
        ("page_down", "pagedown", "PgDn"),
        ("Del", "delete", "Del"),
        ("↑", "up", "↑"),
        ("F1", "f1", "F1"),
        ("Ctrl-G", "ctrl+g", "Ctrl-G"),
        ("ctrl+g", "ctrl+g", "Ctrl-G"),
        ("^g", "ctrl+g", "Ctrl-G"),
        ("Ctrl-Shift-Left", "ctrl+shift+left", "Ctrl-Shift-←"),
        ("Shift-Tab", "shift+tab", "Shift-Tab"),
        ("Shift-g", "G", "G"),
        ("Alt-x", "alt+x", "Alt-x"),
        ("Alt-X", "alt+shift+x", "Alt-Shift-x"),
        ("question_mark", "question_mark", "?"),
        ("e\u0301", "é", "é"),
        # A terminal sends the same for both.
        ("Ctrl-I", "tab", "Tab"),
        ("Ctrl-M", "enter", "Enter"),
        ("Ctrl-[", "escape", "Esc"),
    ],
)
def test_name_is_understood_in_any_usual_spelling(text: str, key: str, name: str) -> None:
    assert parse_key_name(text) == key
    assert format_key_name(key) == name
    assert parse_key_name(name) == key


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "foo", "G,H", "gg", "F25", "Ctrl-", "Ctrl-1", "Ctrl--", "Ctrl-ß", "Shift-1", "Shift-Space"),
        *("Super-x", "Alt-5", "Alt-?", "Alt-Enter", "Ctrl-Ctrl-x", "\n", "\x1b", "latin_small_letter_a", "g\nh"),
    ],
)
def test_text_that_is_no_key_or_that_terminals_do_not_send_is_refused(text: str) -> None:
    assert parse_key_name(text) is None


def test_lists_of_keys_are_short() -> None:
    assert format_key_list(["0", "1", "2"]) == "0-2"
    assert format_key_list(["0", "2"]) == "0 2"
    assert format_key_list(["x", "x"]) == "x"
    assert format_key_list(["↑", "↓"]) == "↑↓"

"""Tests of messages for the user, and of printable text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaetui.errors import MAX_MESSAGE_CHARS, UserError, format_count, is_printable_text, make_printable

VALID_TEXTS = (
    "Screenshot 10.30.00\u202fAM.png",  # a narrow no-break space, as in the names of macOS screenshots
    "Snímek\u00a0v 13.05.png",
    "क्\u200dष",  # with a zero-width joiner
    "می\u200cخواهم",  # with a zero-width non-joiner
    "👩\u200d👩\u200d👧",
    "กี",
    "हिन्दी",
    "e\u0301",
    "\u200fעברית",  # with a right-to-left mark
    "\U0001fae8",  # an emoji of Unicode 15, which Python 3.11 does not know
)


@pytest.mark.parametrize("text", VALID_TEXTS)
def test_text_of_any_script_is_printable_and_stays_as_it_is(text: str) -> None:
    assert is_printable_text(text)
    assert str(UserError(text)) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\x1b[2J\nb", "a\\x1b[2J\\nb"),
        ("a\x7f\x9bb", "a\\x7f\\x9bb"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("a\u202eb\u2066", "a\\u202eb\\u2066"),
        ("caf\udce9", "caf\\udce9"),
    ],
)
def test_controls_line_separators_overrides_and_surrogates_are_escaped(text: str, escaped: str) -> None:
    assert not is_printable_text(text)
    assert str(UserError(text)) == escaped


@given(st.text(st.characters()))
def test_printable_text_is_one_line_of_utf_8_without_control_characters(text: str) -> None:
    printable = make_printable(text)
    assert is_printable_text(printable)
    assert printable.encode() and len(printable.splitlines()) == 1 if text else not printable
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in printable)
    categories = [unicodedata.category(character) for character in text]
    assert is_printable_text(text) or {"Cc", "Cs", "Zl", "Zp", "Cf"} & set(categories)


def test_long_text_is_cut() -> None:
    assert make_printable("é" * MAX_MESSAGE_CHARS) == "é" * MAX_MESSAGE_CHARS
    assert make_printable("é" * (MAX_MESSAGE_CHARS + 1)) == "é" * MAX_MESSAGE_CHARS + " …"


@pytest.mark.parametrize(("count", "text"), [(0, "0 rounds"), (1, "1 round"), (2, "2 rounds"), (1_001, "1,001 rounds")])
def test_a_count_has_a_noun_in_the_right_number(count: int, text: str) -> None:
    assert format_count(count, "round") == text


def test_an_irregular_plural_is_used_except_for_one() -> None:
    assert [format_count(count, "class", "classes") for count in (1, 2)] == ["1 class", "2 classes"]

"""Tests of messages for the user."""

from __future__ import annotations

from vaetui.errors import MAX_MESSAGE_CHARS, UserError, make_printable


def test_control_characters_are_escaped() -> None:
    assert str(UserError("a\x1b[2J\nb")) == "a\\x1b[2J\\nb"


def test_long_text_is_cut() -> None:
    assert make_printable("é" * MAX_MESSAGE_CHARS) == "é" * MAX_MESSAGE_CHARS
    assert make_printable("é" * (MAX_MESSAGE_CHARS + 1)) == "é" * MAX_MESSAGE_CHARS + " …"

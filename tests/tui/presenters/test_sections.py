"""Test the layout of headings with rows of two columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from vaetui.tui.presenters.sections import format_paragraph, format_wrapped_section, wrap_text

WORDS = st.text(st.sampled_from("ab 猫é"), max_size=80)


def test_right_texts_are_aligned_and_wrapped_at_words() -> None:
    rows = [("a", "one two three four five six"), ("0-9 and more keys", "seven")]
    assert format_wrapped_section("Keys", rows, 41).plain.splitlines() == [
        "Keys",
        f"{'  a':<20}one two three four",
        f"{'':<20}five six",
        f"{'  0-9 and more keys':<20}seven",
        "",
    ]


@given(st.lists(st.tuples(st.text(st.sampled_from("ab猫"), max_size=9), WORDS), min_size=1, max_size=4))
def test_no_line_is_wider_than_the_width_and_no_character_is_lost(rows: list[tuple[str, str]]) -> None:
    text = format_wrapped_section("Keys", rows, 60).plain
    assert all(cell_len(line) <= 60 for line in text.splitlines())
    kept = "".join(text.split())
    assert kept == "Keys" + "".join("".join((left + right).split()) for left, right in rows)


def test_paragraph_is_indented_on_both_sides() -> None:
    lines = format_paragraph("Method", ["word"] * 40, 40).plain.splitlines()
    assert lines[0] == "Method"
    assert all(line.startswith("  ") and len(line) <= 38 for line in lines[1:-1])


@pytest.mark.parametrize("text", ["3 entries\n1: a.txt is no image", "2 Einträge\n1: ä.txt ist kein Bild"])
def test_line_breaks_of_a_text_are_kept(text: str) -> None:
    assert wrap_text(text, 40) == text.split("\n")

"""Test that text is wrapped without losing a part of it."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from vaetui.tui.presenters.text_wrapping import wrap_text

PATH = "/home/ann/a/very/long/path/without/any/space/in/it/session.db"


@pytest.mark.parametrize("max_cells", [1, 2, 7, 20, 40, 200])
@pytest.mark.parametrize("text", ["", "one two three", f"! {PATH} is damaged. Restore it.", PATH * 3, "漢字 " * 20])
def test_every_line_fits_and_no_character_is_lost(text: str, max_cells: int) -> None:
    lines = wrap_text(text, max_cells)
    assert all(cell_len(line) <= max(max_cells, 2) for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_lines_break_between_words_and_within_a_word_that_is_too_long() -> None:
    assert wrap_text("one two three four", 9) == ["one two", "three", "four"]
    assert wrap_text("! abcdefghijkl is damaged", 8) == ["!", "abcdefgh", "ijkl is", "damaged"]

"""Test the moves of the selection in pages of images."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaetui.tui.presenters.focus_moves import MOVE_KEYS
from vaetui.tui.presenters.image_selection import ImageSelection


@pytest.mark.parametrize(
    ("index", "key", "target"),
    [
        (0, "left", 0),
        (4, "right", 5),
        (9, "down", 14),
        (14, "up", 9),
        (3, "page_down", 13),
        (13, "page_up", 3),
        (3, "page_up", 0),
        (18, "page_down", 21),
        (17, "down", 21),
        (20, "down", 20),
        (7, "first", 0),
        (7, "last", 21),
    ],
)
def test_key_moves_the_selection(index: int, key: str, target: int) -> None:
    assert ImageSelection(22, 5, 2, index).move(key).index == target


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 4), st.lists(st.sampled_from(sorted(MOVE_KEYS))))
def test_selection_stays_among_the_images_and_on_its_page(count: int, columns: int, rows: int, keys: list[str]) -> None:
    selection = ImageSelection(count, columns, rows)
    for key in keys:
        selection = selection.move(key)
        start, end = selection.page_bounds
        assert 0 <= start <= selection.index < end <= count

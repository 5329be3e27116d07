"""Tests of the fixed width of formatted numbers."""

from __future__ import annotations

import pytest

from vaetui.tui.presenters.number_format import (
    DURATION_CELLS,
    format_bar,
    format_duration,
    format_number,
    format_percent,
)


@pytest.mark.parametrize("share", [-1.0, 0.0, 0.013, 0.5, 0.999, 1.0, 7.0])
def test_bar_has_the_same_width_for_any_share(share: float) -> None:
    assert format_bar(share, 20).cell_len == 20


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (-3, "0:00"),
        (59.6, "1:00"),
        (3_599, "59:59"),
        (3_600, "1:00:00"),
        (4_268, "1:11:08"),
        (359_999, "99:59:59"),
        (360_000, "> 99 h"),
        (float("inf"), "> 99 h"),
        (None, "-:--"),
    ],
)
def test_duration_has_one_width_and_begins_with_a_space(seconds: float | None, text: str) -> None:
    assert format_duration(seconds) == f"{text:>{DURATION_CELLS}}"
    assert format_duration(seconds).startswith(" ")


@pytest.mark.parametrize("value", [0.0, 0.41, 5.623, 12.3456, 118.25, 543.9, 1_234.5, 99.999])
def test_number_is_five_cells_wide(value: float) -> None:
    assert len(format_number(value)) == 5


@pytest.mark.parametrize("share", [None, 0.0, 0.667, 1.0])
def test_percentage_is_six_cells_wide(share: float | None) -> None:
    assert len(format_percent(share)) == 6

"""Tests of the choice and the places of the least sure images."""

from __future__ import annotations

import pytest
from rich.text import Text

from vaetui.tui.presenters.least_sure import choose_least_sure, compute_least_sure_layout
from vaetui.tui.presenters.summary_text import split_words, wrap_pieces


def test_every_class_has_its_least_sure_image_and_the_rest_go_by_confidence() -> None:
    confidences = {3: (0.3, 0.9, 0.95), 1: (0.8, 0.85), 2: (0.2,)}
    assert choose_least_sure(confidences, 4) == [(3, 0), (1, 0), (1, 1), (2, 0)]
    assert choose_least_sure(confidences, 10) == [(3, 0), (3, 1), (3, 2), (1, 0), (1, 1), (2, 0)]


def test_with_too_few_places_the_least_sure_classes_are_shown() -> None:
    assert choose_least_sure({3: (0.3,), 1: (0.8,), 2: (0.2,)}, 2) == [(3, 0), (2, 0)]
    assert choose_least_sure({}, 2) == []


@pytest.mark.parametrize("height", range(60))
def test_layout_fits_its_place(height: int) -> None:
    layout = compute_least_sure_layout(80, height)
    if layout is None:
        assert height < 8
        return
    assert 1 + layout.rows * (layout.image_cells[1] + 1) <= height
    assert 1 + layout.columns * layout.column_cells <= 81


def test_lines_break_between_pieces_and_never_before_a_percent_sign() -> None:
    pieces = split_words("Expected accuracy about 96 % (not audited). The last epoch changed 3.1 %: enough")
    assert "96 %" in [piece.plain for piece in pieces]
    assert "3.1 %:" in [piece.plain for piece in pieces]
    for width in range(12, 90):
        lines = wrap_pieces(pieces, width)
        assert all(line.cell_len <= width for line in lines)
        assert not any(line.plain.startswith("%") for line in lines)
        assert Text(" ").join(lines).plain == Text(" ").join(pieces).plain

"""Pixels become cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.digit_images import draw_digit
from vaetui.tui.widgets.half_blocks import find_changed_spans, fit_image, render_ascii, render_half_blocks


def test_a_picture_of_28_by_28_is_drawn_pixel_by_pixel() -> None:
    picture = draw_digit(8)
    drawn = fit_image(picture, 28, 28)
    assert (
        np.abs(drawn.astype(int) - picture)[picture > 25].max() <= 8 + 5
    )  # half a step, and the way to a grey of the palette
    assert drawn[picture <= 25].max() == 0
    strips = render_half_blocks(drawn)
    assert [strip.cell_length for strip in strips] == [28] * 14
    for row, strip in enumerate(strips):
        column = 0
        for segment in strip:
            style = segment.style
            assert style is not None
            assert style.bgcolor is not None
            assert style.bgcolor.triplet is not None
            below = style.bgcolor.triplet.red
            above = style.color.triplet.red if style.color and style.color.triplet else below
            assert (drawn[2 * row, column], drawn[2 * row + 1, column]) == (above, below)
            column += segment.cell_length


def test_colours_are_drawn_as_they_are() -> None:
    picture = np.zeros((4, 2, 3), np.uint8)
    picture[0] = (255, 0, 0)
    picture[1:] = (0, 136, 255)
    drawn = fit_image(picture, 2, 4)
    upper, lower = render_half_blocks(drawn)
    (mixed,), (plain,) = upper, lower
    assert (mixed.text, plain.text) == ("▀▀", "  ")
    assert mixed.style is not None
    assert plain.style is not None
    assert [each and each.triplet for each in (mixed.style.color, mixed.style.bgcolor)] == [(255, 0, 0), (0, 138, 255)]
    assert plain.style.bgcolor == mixed.style.bgcolor
    other = drawn.copy()
    other[3, 1, 2] = 0
    assert find_changed_spans(drawn, other) == [(1, 1, 1)]
    assert len(render_ascii(drawn)) == 2


def test_a_thumbnail_keeps_the_light() -> None:
    picture = draw_digit(3)
    assert fit_image(picture, 14, 14).mean() == pytest.approx(picture.mean(), rel=0.05)


@given(st.integers(1, 70), st.integers(1, 70))
def test_any_shape_fits_and_is_centred(tall: int, wide: int) -> None:
    drawn = fit_image(np.full((tall, wide), 255, np.uint8), 28, 28)
    assert drawn.shape == (28, 28)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    assert abs(int(rows[0]) - (27 - int(rows[-1]))) <= 1
    assert abs(int(columns[0]) - (27 - int(columns[-1]))) <= 1
    assert max(len(rows), len(columns)) > 14


def test_small_pictures_grow_by_whole_numbers() -> None:
    checks = (np.indices((9, 9)).sum(axis=0) % 2 * 255).astype(np.uint8)
    drawn = fit_image(checks, 28, 28)
    assert set(np.unique(drawn)) == {0, 255}
    assert np.array_equal(drawn[:27:3, :27:3], checks)


def test_only_cells_that_differ_are_named() -> None:
    before = np.zeros((4, 20), np.uint8)
    after = before.copy()
    after[1, [2, 4, 15]] = 255
    assert find_changed_spans(before, after) == [(0, 2, 3), (0, 15, 1)]
    assert find_changed_spans(after, after) == []


def test_letters_are_denser_where_it_is_brighter() -> None:
    drawn = np.repeat(np.linspace(0, 255, 10).astype(np.uint8)[None], 2, axis=0)
    assert render_ascii(drawn)[0].text == " .:-=+*#%@"

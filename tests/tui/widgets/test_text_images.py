"""Tests of images drawn as half-blocks and as ASCII characters."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import Color, ColorSystem

from tests.tui.digit_images import draw_digit
from vaetui.tui.widgets.text_images import (
    LEVELS,
    find_changed_spans,
    fit_image,
    render_ascii,
    render_half_blocks,
    set_palette_mode,
)

PALETTE = np.array([Color.from_ansi(number).get_truecolor() for number in range(16, 256)])
"""Colours of the palette of 256 colours that are the same in all terminals."""


def test_image_of_28_by_28_is_drawn_pixel_by_pixel() -> None:
    pixels = draw_digit(8)
    image = fit_image(pixels, 28, 28)
    # Half a step, and at most 5 from a multiple of the step to a level of the palette.
    assert np.abs(image.astype(int) - pixels)[pixels > 25].max() <= 8 + 5
    assert image[pixels <= 25].max() == 0
    strips = render_half_blocks(image)
    assert [strip.cell_length for strip in strips] == [28] * 14
    for row, strip in enumerate(strips):
        column = 0
        for segment in strip:
            style = segment.style
            assert style is not None
            assert style.bgcolor is not None
            assert style.bgcolor.triplet is not None
            lower = style.bgcolor.triplet.red
            upper = style.color.triplet.red if style.color and style.color.triplet else lower
            assert (image[2 * row, column], image[2 * row + 1, column]) == (upper, lower)
            column += segment.cell_length


def test_colour_image_keeps_its_colours() -> None:
    pixels = np.zeros((4, 2, 3), np.uint8)
    pixels[0] = (255, 0, 0)
    pixels[1:] = (0, 136, 255)
    image = fit_image(pixels, 2, 4)
    upper_strip, lower_strip = render_half_blocks(image)
    (mixed,), (plain,) = upper_strip, lower_strip
    assert (mixed.text, plain.text) == ("▀▀", "  ")
    assert mixed.style is not None
    assert plain.style is not None
    colours = [colour and colour.triplet for colour in (mixed.style.color, mixed.style.bgcolor)]
    assert colours == [(255, 0, 0), (0, 135, 255)]
    assert plain.style.bgcolor == mixed.style.bgcolor
    changed_image = image.copy()
    changed_image[3, 1, 2] = 0
    assert find_changed_spans(image, changed_image) == [(1, 1, 1)]
    assert len(render_ascii(image)) == 2


def test_dark_colours_keep_their_hue() -> None:
    greys = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 2, axis=0).repeat(3, axis=2)
    for tint in ((0, 0, 0), (4, 0, 0), (0, 5, 3), (0, 0, 8)):
        pixels = np.minimum(greys.astype(int) + tint, 255).astype(np.uint8)
        shown = fit_image(pixels, 256, 2).astype(int)
        is_drawn = shown.any(axis=2)
        assert is_drawn.mean() > 0.85
        assert np.abs(shown - pixels)[is_drawn].max() <= 3


@pytest.fixture
def _palette() -> Iterator[None]:
    set_palette_mode(True)
    yield
    set_palette_mode(False)


@pytest.mark.usefixtures("_palette")
@settings(deadline=None, max_examples=300)
@given(st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255)))
def test_colour_is_shown_as_the_nearest_of_the_palette(colour: tuple[int, int, int]) -> None:
    pixels = np.full((2, 1, 3), colour, np.uint8)
    ((segment,),) = render_half_blocks(pixels)
    assert segment.style is not None
    assert segment.style.bgcolor is not None
    shown = segment.style.bgcolor.downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
    distances = np.sum((PALETTE - colour) ** 2, axis=1)
    # Four greys of the cube are written as their neighbours, which are at most 4 levels away.
    assert np.sum((np.array(shown) - colour) ** 2) <= (np.sqrt(distances.min()) + 4 * np.sqrt(3)) ** 2


@pytest.mark.usefixtures("_palette")
@pytest.mark.parametrize("colour", [(70, 60, 64), (40, 30, 35), (60, 70, 70), (18, 38, 38), (50, 50, 68)])
def test_dark_greys_of_a_photograph_are_shown_grey(colour: tuple[int, int, int]) -> None:
    ((segment,),) = render_half_blocks(np.full((2, 1, 3), colour, np.uint8))
    assert segment.style is not None
    assert segment.style.bgcolor is not None
    red, green, blue = segment.style.bgcolor.downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
    assert red == green == blue


@pytest.mark.usefixtures("_palette")
def test_grey_levels_of_a_picture_are_shown_exactly_in_the_palette() -> None:
    for level in LEVELS.tolist():
        ((segment,),) = render_half_blocks(np.full((2, 1), level, np.uint8))
        assert segment.style is not None
        assert segment.style.bgcolor is not None
        assert segment.style.bgcolor.downgrade(ColorSystem.EIGHT_BIT).get_truecolor() == (level, level, level)


def test_reduced_image_keeps_its_mean_brightness() -> None:
    pixels = draw_digit(3)
    assert fit_image(pixels, 14, 14).mean() == pytest.approx(pixels.mean(), rel=0.05)


@settings(deadline=None)
@given(st.integers(1, 70), st.integers(1, 70))
def test_image_of_any_shape_is_fitted_and_centred(height: int, width: int) -> None:
    image = fit_image(np.full((height, width), 255, np.uint8), 28, 28)
    assert image.shape == (28, 28)
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    assert abs(int(rows[0]) - (27 - int(rows[-1]))) <= 1
    assert abs(int(columns[0]) - (27 - int(columns[-1]))) <= 1
    assert max(len(rows), len(columns)) > 14


def test_small_image_is_enlarged_by_a_whole_factor() -> None:
    checkerboard = (np.indices((9, 9)).sum(axis=0) % 2 * 255).astype(np.uint8)
    image = fit_image(checkerboard, 28, 28)
    assert set(np.unique(image)) == {0, 255}
    assert np.array_equal(image[:27:3, :27:3], checkerboard)


def test_changed_spans_contain_only_cells_that_differ_and_short_gaps() -> None:
    before = np.zeros((4, 20), np.uint8)
    after = before.copy()
    after[1, [2, 4, 15]] = 255
    assert find_changed_spans(before, after) == [(0, 2, 3), (0, 15, 1)]
    assert find_changed_spans(after, after) == []


def test_ascii_characters_are_denser_for_brighter_pixels() -> None:
    image = np.repeat(np.linspace(0, 255, 10).astype(np.uint8)[None], 2, axis=0)
    assert render_ascii(image)[0].text == " .:-=+*#%@"

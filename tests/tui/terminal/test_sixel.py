"""Decode sixel pictures as a terminal does, and compare them with what was encoded."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.tui.digit_images import draw_digit
from vaetui.tui.terminal.sixel import encode_sixel

SEQUENCE_PATTERN = re.compile(r'\x1bP0;1q"1;1;(\d+);(\d+)(.*)\x1b\\', re.DOTALL)
TOKEN_PATTERN = re.compile(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|([$-])")


def decode_sixel(text: str) -> tuple[NDArray[np.int64], int]:
    """Return the image, [H, W, 3], with -1 for pixels that were not drawn, and the number of colour registers."""
    match = SEQUENCE_PATTERN.fullmatch(text)
    assert match is not None
    width, height = int(match[1]), int(match[2])
    image = np.full((-(-height // 6) * 6, width, 3), -1, np.int64)
    registers: dict[int, list[int]] = {}
    colour, column, band, end = 0, 0, 0, 0
    for token in TOKEN_PATTERN.finditer(match[3]):
        assert token.start() == end, "unknown characters"
        end = token.end()
        if token[1]:
            registers[int(token[1])] = [round(int(token[number]) * 255 / 100) for number in (2, 3, 4)]
        elif token[5]:
            colour = int(token[5])
        elif token[9]:
            column, band = 0, band + (token[9] == "-")
        else:
            count, bits = int(token[6] or 1), ord(token[7] or token[8]) - 63
            for row in range(6):
                if bits >> row & 1:
                    image[band * 6 + row, column : column + count] = registers[colour]
            column += count
            assert column <= width
    assert end == len(match[3])
    assert (image[height:] == -1).all(), "rows below the image stay as they are"
    return image[:height], len(registers)


@pytest.mark.parametrize("max_colours", [2, 16, 256])
def test_grey_picture_is_drawn_in_the_nearest_levels(max_colours: int) -> None:
    picture = draw_digit(8).repeat(5, axis=0).repeat(5, axis=1)
    image, register_count = decode_sixel(encode_sixel(picture, max_colours))
    assert register_count <= max_colours
    step = 255 / (min(max_colours, 32) - 1)
    assert np.abs(image - picture[..., None]).max() <= step / 2 + 2
    assert (image == image[..., :1]).all()


def test_few_colours_are_kept_exactly() -> None:
    picture = np.zeros((13, 9, 3), np.uint8)
    picture[2:8, 3:6] = (255, 0, 102)
    picture[9, 1] = (0, 153, 255)
    image, register_count = decode_sixel(encode_sixel(picture, 16))
    assert register_count == 3
    assert np.abs(image - picture).max() <= 1


@pytest.mark.parametrize(("max_colours", "max_mean_difference"), [(16, 30), (256, 16)])
def test_many_colours_are_drawn_in_similar_ones(max_colours: int, max_mean_difference: int) -> None:
    rows, columns = np.mgrid[0:100, 0:120]
    waves = (
        127 + 120 * np.sin(columns / 30 + rows / 50),
        127 + 120 * np.cos(rows / 40),
        127 + 100 * np.sin(columns / 9),
    )
    picture = np.stack(waves, axis=-1).astype(np.uint8)
    image, register_count = decode_sixel(encode_sixel(picture, max_colours))
    assert register_count <= min(max_colours, 64)
    assert np.abs(image - picture).mean() <= max_mean_difference


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 40), st.integers(1, 40), st.booleans(), st.integers(0, 99))
def test_every_pixel_of_an_image_of_any_shape_is_drawn(height: int, width: int, is_coloured: bool, seed: int) -> None:
    shape = (height, width, 3) if is_coloured else (height, width)
    picture = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    image, _ = decode_sixel(encode_sixel(picture, 16))
    assert image.shape == (height, width, 3)
    assert (image >= 0).all()

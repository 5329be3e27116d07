"""Print numbered pictures side by side as lines of text, and parse lines that mark them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vaetui.engine.clusters import Pixels
from vaetui.errors import UserError
from vaetui.tui.presenters.cluster_text import truncate_name
from vaetui.tui.widgets.text_images import fit_image, to_ascii_lines

TILE_COLUMNS, TILE_CELLS, TILE_LINES = 4, 18, 9
"""Tiles beside each other, and the columns and lines of each: four fit 80 columns."""
MARK_PATTERN = re.compile(r"(?:^|[\s,]+)([0-9]{1,3})\s*=\s*")
"""The number of a tile before its class."""


def list_tile_lines(titles: Sequence[str], pixels: Pixels) -> list[str]:
    """Return the pictures, [N, H, W] or [N, H, W, 3], below their titles."""
    lines: list[str] = []
    for start in range(0, len(pixels), TILE_COLUMNS):
        end = start + TILE_COLUMNS
        lines.append(_join_columns([truncate_name(title, TILE_CELLS) for title in titles[start:end]]))
        pictures = [to_ascii_lines(fit_image(image, TILE_CELLS, 2 * TILE_LINES)) for image in pixels[start:end]]
        lines += [_join_columns(parts) for parts in zip(*pictures, strict=True)]
    return lines


def parse_marks(text: str, count: int) -> list[tuple[int, str]]:
    """Return the marks of a line such as "4=cat 7=": positions from 0 with their texts, which may be empty.

    Raises UserError for any other line and for a number that is not one of `count` images.
    """
    pieces = MARK_PATTERN.split(text)
    if pieces[0] or len(pieces) < 3:
        raise UserError(f"Unknown line {text!r}. Type the numbers of images with their class, such as 4=cat 7=dog.")
    marks = [(int(number) - 1, mark.strip()) for number, mark in zip(pieces[1::2], pieces[2::2], strict=True)]
    for position, _ in marks:
        if not 0 <= position < count:
            raise UserError(f"This page has no image {position + 1}. Its images are 1 to {count}.")
    return marks


def _join_columns(texts: Sequence[str]) -> str:
    return " ".join(f"{text:<{TILE_CELLS}}" for text in texts).rstrip()

"""The same painted text in fewer bytes, for a slow line; it does not know what is painted."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

SGR_PATTERN = re.compile(r"\x1b\[([\d;]*)m")
"""A sequence that sets colours and attributes."""
CURSOR_PATTERN = re.compile(r"(?:\x1b\[[\d;]*H|[\r\n])+")
"""What moves the cursor, and shows nothing."""
GRAPHICS_PREFIXES = ("\x1bP", "\x1b_", "\x1b]", "\U0010eeee")
"""Signs of a picture that the terminal draws, whose data or colours are no styles."""


class _TextStyle(NamedTuple):
    """How the terminal writes at a moment."""

    foreground: str = ""
    """The colour of characters, as it is written in a sequence; empty for the terminal's own."""
    background: str = ""
    """The colour behind them, likewise."""
    attributes: frozenset[str] = frozenset()
    """Bold and the like, by their numbers."""


DEFAULT_STYLE = _TextStyle()
"""How it writes after a reset."""


def compress_ansi(text: str) -> str:
    """Write a painted text so that each sequence tells only what changes; about a third is saved.

    Textual tells everything before each span of cells, and takes everything back behind it. The text is taken to
    begin and made to end with a plain pen.
    """
    if any(sign in text for sign in GRAPHICS_PREFIXES):
        return text
    have = want = DEFAULT_STYLE
    parts: list[str] = []
    # Words and parameters of styles by turns.
    for at, piece in enumerate(SGR_PATTERN.split(text)):
        if at % 2:
            want = _apply_sgr(want, piece)
        elif piece:
            shown = CURSOR_PATTERN.sub("", piece) if piece[0] in "\x1b\r\n" else piece
            if shown:
                pen = want
                if not (have.attributes or want.attributes) and shown.isspace():
                    pen = want._replace(foreground=have.foreground)  # a blank has no colour of its own
                parts.append(_encode_transition(have, pen))
                have = pen
            parts.append(piece)
    parts.append(_encode_transition(have, DEFAULT_STYLE))
    return "".join(parts)


@lru_cache(4096)
def _apply_sgr(style: _TextStyle, parameters: str) -> _TextStyle:
    """Give the pen after a sequence with these parameters."""
    numbers = (parameters or "0").split(";")
    while numbers:
        number = numbers.pop(0)
        if number in ("38", "48"):
            count = 4 if numbers[0] == "2" else 2
            colour, numbers = _shorten_colour(numbers[:count]), numbers[count:]
            whole = f"{number};{colour}"
            style = style._replace(foreground=whole) if number == "38" else style._replace(background=whole)
        elif number in ("0", ""):
            style = DEFAULT_STYLE
        elif len(number) > 1 and number[:-1] in ("3", "9"):
            style = style._replace(foreground="" if number == "39" else number)
        elif len(number) > 1 and number[:-1] in ("4", "10"):
            style = style._replace(background="" if number == "49" else number)
        else:
            style = style._replace(attributes=style.attributes | {number})
    return style


def _shorten_colour(colour: list[str]) -> str:
    """Write a grey of 24 bits by its number in the palette that all terminals share, where it has one there."""
    if colour[0] == "2" and colour[1] == colour[2] == colour[3]:
        grey = int(colour[1])
        if grey in (0, 255):
            return "5;16" if grey == 0 else "5;231"
        if 8 <= grey <= 238 and grey % 10 == 8:
            return f"5;{232 + grey // 10}"
    return ";".join(colour)


@lru_cache(4096)
def _encode_transition(current: _TextStyle, target: _TextStyle) -> str:
    """Write the sequence that turns one pen into another."""
    if current == target:
        return ""
    if target == DEFAULT_STYLE:
        return "\x1b[0m"
    numbers: list[str] = []
    if current.attributes - target.attributes:
        current, numbers = DEFAULT_STYLE, ["0"]
    numbers += sorted(target.attributes - current.attributes)
    if current.foreground != target.foreground:
        numbers.append(target.foreground or "39")
    if current.background != target.background:
        numbers.append(target.background or "49")
    return f"\x1b[{';'.join(numbers)}m"

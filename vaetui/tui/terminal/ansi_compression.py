"""The same painted text in fewer bytes, for a slow line; it does not know what is painted."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

STYLE = re.compile(r"\x1b\[([\d;]*)m")
"""A sequence that sets colours and attributes."""
MOVE = re.compile(r"(?:\x1b\[[\d;]*H|[\r\n])+")
"""What moves the cursor, and shows nothing."""
FOREIGN = ("\x1bP", "\x1b_", "\x1b]", "\U0010eeee")
"""Signs of a picture that the terminal draws, whose data or colours are no styles."""


class _Pen(NamedTuple):
    """How the terminal writes at a moment."""

    before: str = ""
    """The colour of characters, as it is written in a sequence; empty for the terminal's own."""
    behind: str = ""
    """The colour behind them, likewise."""
    attributes: frozenset[str] = frozenset()
    """Bold and the like, by their numbers."""


PLAIN = _Pen()
"""How it writes after a reset."""


def thrifty(text: str) -> str:
    """Write a painted text so that each sequence tells only what changes; about a third is saved.

    Textual tells everything before each span of cells, and takes everything back behind it. The text is taken to
    begin and made to end with a plain pen.
    """
    if any(sign in text for sign in FOREIGN):
        return text
    have = want = PLAIN
    parts: list[str] = []
    # Words and parameters of styles by turns.
    for at, piece in enumerate(STYLE.split(text)):
        if at % 2:
            want = _set(want, piece)
        elif piece:
            shown = MOVE.sub("", piece) if piece[0] in "\x1b\r\n" else piece
            if shown:
                pen = want
                if not (have.attributes or want.attributes) and shown.isspace():
                    pen = want._replace(before=have.before)  # a blank has no colour of its own
                parts.append(_change(have, pen))
                have = pen
            parts.append(piece)
    parts.append(_change(have, PLAIN))
    return "".join(parts)


@lru_cache(4096)
def _set(pen: _Pen, parameters: str) -> _Pen:
    """Give the pen after a sequence with these parameters."""
    numbers = (parameters or "0").split(";")
    while numbers:
        number = numbers.pop(0)
        if number in ("38", "48"):
            count = 4 if numbers[0] == "2" else 2
            colour, numbers = _shortest(numbers[:count]), numbers[count:]
            whole = f"{number};{colour}"
            pen = pen._replace(before=whole) if number == "38" else pen._replace(behind=whole)
        elif number in ("0", ""):
            pen = PLAIN
        elif len(number) > 1 and number[:-1] in ("3", "9"):
            pen = pen._replace(before="" if number == "39" else number)
        elif len(number) > 1 and number[:-1] in ("4", "10"):
            pen = pen._replace(behind="" if number == "49" else number)
        else:
            pen = pen._replace(attributes=pen.attributes | {number})
    return pen


def _shortest(colour: list[str]) -> str:
    """Write a grey of 24 bits by its number in the palette that all terminals share, where it has one there."""
    if colour[0] == "2" and colour[1] == colour[2] == colour[3]:
        grey = int(colour[1])
        if grey in (0, 255):
            return "5;16" if grey == 0 else "5;231"
        if 8 <= grey <= 238 and grey % 10 == 8:
            return f"5;{232 + grey // 10}"
    return ";".join(colour)


@lru_cache(4096)
def _change(have: _Pen, want: _Pen) -> str:
    """Write the sequence that turns one pen into another."""
    if have == want:
        return ""
    if want == PLAIN:
        return "\x1b[0m"
    numbers: list[str] = []
    if have.attributes - want.attributes:
        have, numbers = PLAIN, ["0"]
    numbers += sorted(want.attributes - have.attributes)
    if have.before != want.before:
        numbers.append(want.before or "39")
    if have.behind != want.behind:
        numbers.append(want.behind or "49")
    return f"\x1b[{';'.join(numbers)}m"

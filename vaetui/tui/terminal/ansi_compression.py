"""Shorten painted text with ANSI colours, for slow lines, without changing what the terminal shows."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

SGR_PATTERN = re.compile(r"\x1b\[([\d;]*)m")
"""A sequence that sets colours and attributes (SGR, select graphic rendition)."""
CURSOR_PATTERN = re.compile(r"(?:\x1b\[[\d;]*H|[\r\n])+")
"""Sequences and characters that only move the cursor."""
GRAPHICS_PREFIXES = ("\x1bP", "\x1b_", "\x1b]", "\U0010eeee")
"""Prefixes of sixel and kitty graphics, whose data must not be changed."""


class _TextStyle(NamedTuple):
    """Style in which the terminal writes characters."""

    foreground: str = ""
    """Text colour as SGR parameters; empty for the terminal's default."""
    background: str = ""
    """Background colour as SGR parameters; empty for the terminal's default."""
    attributes: frozenset[str] = frozenset()
    """SGR numbers of attributes such as bold."""


DEFAULT_STYLE = _TextStyle()
"""Style after a reset."""


def compress_ansi(text: str) -> str:
    """Return the text with sequences that set only what changes; it is about a third shorter.

    Textual sets the whole style before each span of cells and resets it after the span. The text is assumed to
    begin, and made to end, with the default style. Text with graphics is returned unchanged.
    """
    if any(prefix in text for prefix in GRAPHICS_PREFIXES):
        return text
    written_style = style = DEFAULT_STYLE
    parts: list[str] = []
    # The split returns text and SGR parameters alternately.
    for index, part in enumerate(SGR_PATTERN.split(text)):
        if index % 2:
            style = _apply_sgr(style, part)
        elif part:
            visible_text = CURSOR_PATTERN.sub("", part) if part[0] in "\x1b\r\n" else part
            if visible_text:
                target_style = style
                if not (written_style.attributes or style.attributes) and visible_text.isspace():
                    target_style = style._replace(foreground=written_style.foreground)  # blanks show no text colour
                parts.append(_encode_style_change(written_style, target_style))
                written_style = target_style
            parts.append(part)
    parts.append(_encode_style_change(written_style, DEFAULT_STYLE))
    return "".join(parts)


@lru_cache(4096)
def _apply_sgr(style: _TextStyle, parameters: str) -> _TextStyle:
    numbers = (parameters or "0").split(";")
    while numbers:
        number = numbers.pop(0)
        if number in ("38", "48"):
            count = 4 if numbers[0] == "2" else 2
            colour, numbers = _shorten_colour(numbers[:count]), numbers[count:]
            sgr_colour = f"{number};{colour}"
            style = style._replace(foreground=sgr_colour) if number == "38" else style._replace(background=sgr_colour)
        elif number in ("0", ""):
            style = DEFAULT_STYLE
        elif number[:-1] in ("3", "9"):
            style = style._replace(foreground="" if number == "39" else number)
        elif number[:-1] in ("4", "10"):
            style = style._replace(background="" if number == "49" else number)
        else:
            style = style._replace(attributes=style.attributes | {number})
    return style


def _shorten_colour(colour: list[str]) -> str:
    """Replace a 24-bit grey by its number in the 256-colour palette, if the palette contains exactly this grey."""
    if colour[0] == "2" and colour[1] == colour[2] == colour[3]:
        grey = int(colour[1])
        if grey in (0, 255):
            return "5;16" if grey == 0 else "5;231"
        if 8 <= grey <= 238 and grey % 10 == 8:
            return f"5;{232 + grey // 10}"
    return ";".join(colour)


@lru_cache(4096)
def _encode_style_change(current: _TextStyle, target: _TextStyle) -> str:
    """Return the SGR sequence that changes one style into another; empty if they are equal."""
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

"""Greys instead of colours for NO_COLOR."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import Monochrome


class GreyFilter(Monochrome):
    """Turns colours into greys, also in lines with blanks without a style, on which Textual's filter fails.

    Plots have such lines until they are laid out.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments in greys."""
        styled = [Segment(text, style or Style.null(), control) for text, style, control in segments]
        return super().apply(styled, background)

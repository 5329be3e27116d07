"""Curves in a thin frame with axes, drawn by textual-plot; it does not know what the curves are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray
from textual_plot import HiResMode, PlotWidget

HEAVY_TO_LIGHT = str.maketrans("━┃┏┓┗┛┳┻┣┫", "─│╭╮╰╯┬┴├┤")
"""The frame of textual-plot is heavy, and a heavy border is for what is focused."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One curve, told from the others by its mark and only then by its colour."""

    marker: str
    """The character of its points; "⠒" draws a thin line, "▚" a thick one."""
    style: str
    """Its colour."""
    x: NDArray[np.float64]
    """Where, ascending, [N]."""
    y: NDArray[np.float64]
    """How much, [N]."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One side of a plot."""

    low: float
    """The least value."""
    high: float
    """The greatest value."""
    ticks: tuple[float, ...] = ()
    """The values that are written at it."""


def decimate(
    x: NDArray[np.float64], y: NDArray[np.float64], width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Keep the least and the greatest value of each column: at most twice as many points as columns."""
    if len(x) <= 2 * width:
        return x, y
    edges = np.linspace(0, len(x), width + 1).astype(int)
    kept: list[int] = []
    for low, high in pairwise(edges.tolist()):
        part = y[low:high]
        kept += sorted({low + int(part.argmin()), low + int(part.argmax())})
    return x[kept], y[kept]


def choose_ticks(low: float, high: float, max_ticks: int, min_step: float = 0.0) -> tuple[float, ...]:
    """Give at most that many round numbers (1, 2, 5 times a power of ten, none below `least`) in a range."""
    if high <= low or max_ticks < 1:
        return ()
    power = max(10.0 ** floor(log10((high - low) / max_ticks)), min_step)
    for step in (power, 2 * power, 5 * power, 10 * power, 20 * power):
        first, last = int(np.ceil(low / step)), int(np.floor(high / step))
        if last - first < max_ticks:
            break
    return tuple(round(tick * step, 10) for tick in range(first, last + 1))


class Plot(PlotWidget, can_focus=False, inherit_bindings=False):
    """A picture of curves that takes neither keys nor the mouse."""

    DEFAULT_CSS = """
    Plot { height: 1fr; }
    Plot > .plot--axis { color: $foreground 40%; }
    Plot > .plot--tick { color: $foreground 70%; text-style: none; }
    """

    def __init__(self, heading: str) -> None:
        """Write this title into the frame."""
        super().__init__(allow_pan_and_zoom=False)
        self._heading = heading
        self._placeholder_lines: Sequence[str] = ()
        self.set_reactive(PlotWidget.margin_top, 0)
        self.set_reactive(PlotWidget.margin_bottom, 1)
        self.set_reactive(PlotWidget.margin_left, 5)

    @property
    def columns(self) -> int:
        """Count the columns inside the frame."""
        return max(self.size.width - self.margin_left - 2, 1)

    @property
    def rows(self) -> int:
        """Count the rows inside the frame."""
        return max(self.size.height - self.margin_bottom - 2, 1)

    def draw(self, curves: Sequence[Curve], x_axis: Axis, y_axis: Axis, placeholder_lines: Sequence[str] = ()) -> None:
        """Show these curves on these axes, and lines of words across them: what will be there while nothing is."""
        if not self.is_mounted:
            return
        self._placeholder_lines = placeholder_lines
        self.clear()
        for curve in curves:
            self._add_curve(curve)
        self.set_xlimits(x_axis.low, x_axis.high)
        self.set_ylimits(y_axis.low, y_axis.high)
        self.set_xticks(x_axis.ticks)
        self.set_yticks(y_axis.ticks)

    def _add_curve(self, curve: Curve) -> None:
        x, y = decimate(curve.x, curve.y, self.columns)
        if curve.marker == "⠒":
            self.plot(x, y, curve.style, HiResMode.BRAILLE)
        elif curve.marker == "▚":
            self.plot(x, y, curve.style, HiResMode.QUADRANT)
        else:
            self.scatter(x, y, curve.marker, curve.style)

    def _render_plot(self) -> None:
        canvas: Any = self.query_one("#plot")
        with canvas.batch_refresh():  # else every cell of every curve asks for a repaint
            super()._render_plot()
            self._draw_frame(canvas)
            self._draw_placeholder(canvas)

    def _draw_frame(self, canvas: Any) -> None:
        """Make the frame thin, take the ticks from its upper and right side, and write the title into it."""
        width, height = canvas.size
        if width < 4 or height < 4:
            return
        style = str(self.get_component_rich_style("plot--axis"))
        for x in range(1, width - 1):
            canvas.set_pixel(x, 0, "─", style)
            canvas.set_pixel(x, height - 1, canvas.get_pixel(x, height - 1)[0].translate(HEAVY_TO_LIGHT), style)
        for y in range(1, height - 1):
            canvas.set_pixel(0, y, canvas.get_pixel(0, y)[0].translate(HEAVY_TO_LIGHT), style)
            canvas.set_pixel(width - 1, y, "│", style)
        for corner, x, y in zip("╭╮╰╯", (0, width - 1) * 2, (0, 0, height - 1, height - 1), strict=True):
            canvas.set_pixel(x, y, corner, style)
        heading = self._heading
        while len(heading) > width - 6 and ", " in heading:
            heading = heading.rpartition(", ")[0]
        for x, char in enumerate(f" {heading} "[: width - 4], start=2):
            canvas.set_pixel(x, 0, char, "bold")

    def _draw_placeholder(self, canvas: Any) -> None:
        """Write the words into the middle of the frame."""
        width, height = canvas.size
        words = self._placeholder_lines[: max(height - 2, 0)]
        for y, line in enumerate(words, start=(height - len(words)) // 2):
            for x, char in enumerate(line[: width - 4], start=max((width - max(map(len, words))) // 2, 2)):
                canvas.set_pixel(x, y, char, "")

"""Curves in a thin frame with axes, drawn by textual-plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual_plot import HiResMode, PlotWidget

from vaetui.tui.presenters.plot_curves import Axis, Curve, decimate_min_max

HEAVY_TO_LIGHT = str.maketrans("━┃┏┓┗┛┳┻┣┫", "─│╭╮╰╯┬┴├┤")
"""textual-plot draws a heavy frame, but heavy borders mark the focus here."""


class Plot(PlotWidget, can_focus=False, inherit_bindings=False):
    """A plot that handles neither keys nor the mouse."""

    DEFAULT_CSS = """
    Plot { height: 1fr; }
    Plot > .plot--axis { color: $foreground 40%; }
    Plot > .plot--tick { color: $foreground 70%; text-style: none; }
    """

    def __init__(self, heading: str, x_label: str = "", margin_cells: int = 5) -> None:
        """Create an empty plot with `heading` in the upper side of its frame and `x_label` in the lower one.

        `margin_cells` are the columns before the frame.
        """
        super().__init__(allow_pan_and_zoom=False)
        self._headings: Sequence[str] = (heading,)
        self._x_label = x_label
        self._placeholder_lines: Sequence[str] = ()
        self.set_reactive(PlotWidget.margin_top, 0)
        self.set_reactive(PlotWidget.margin_bottom, 1)
        self.set_reactive(PlotWidget.margin_left, margin_cells)

    @property
    def column_count(self) -> int:
        """Columns inside the frame."""
        return max(self.size.width - self.margin_left - 2, 1)

    @property
    def row_count(self) -> int:
        """Rows inside the frame."""
        return max(self.size.height - self.margin_bottom - 2, 1)

    def find_column(self, x: float) -> int:
        """Return the column of an x value in the plot, with the margin, as it was drawn last."""
        return self.margin_left + int(self.get_pixel_from_coordinate(x, 0.0)[0])

    def set_headings(self, *headings: str) -> None:
        """Replace the heading by the first of `headings` that fits the frame, or by as much as fits of the last one."""
        self._headings = headings

    def draw_curves(
        self, curves: Sequence[Curve], x_axis: Axis, y_axis: Axis, placeholder_lines: Sequence[str] = ()
    ) -> None:
        """Draw `curves`; `placeholder_lines` appear in the middle of the frame while there is no data."""
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
        x, y = decimate_min_max(curve.x, curve.y, self.column_count)
        if curve.marker == "⠒":
            self.plot(x, y, curve.style, HiResMode.BRAILLE)
        elif curve.marker == "▚":
            self.plot(x, y, curve.style, HiResMode.QUADRANT)
        else:
            self.scatter(x, y, curve.marker, curve.style)

    def _render_plot(self) -> None:
        canvas: Any = self.query_one("#plot")
        with canvas.batch_refresh():  # otherwise every cell of every curve requests a repaint
            super()._render_plot()
            self._draw_frame(canvas)
            self._draw_placeholder(canvas)

    def _draw_frame(self, canvas: Any) -> None:
        """Draw a thin frame without ticks at the top and the right, with the heading in its upper side."""
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
        heading = next(
            (text for text in self._headings if len(text) <= width - 4), self._headings[-1][: width - 4].rstrip(", ")
        )
        for x, character in enumerate(f" {heading} ", start=2 if len(heading) <= width - 6 else 1):
            canvas.set_pixel(x, 0, character, "bold")
        label = f" {self._x_label} " if self._x_label and width >= 3 * len(self._x_label) else ""
        for x, character in enumerate(label, start=width - 1 - len(label)):
            canvas.set_pixel(x, height - 1, character, style)

    def _draw_placeholder(self, canvas: Any) -> None:
        width, height = canvas.size
        lines = self._placeholder_lines[: max(height - 2, 0)]
        for y, line in enumerate(lines, start=(height - len(lines)) // 2):
            for x, character in enumerate(line[: width - 4], start=max((width - max(map(len, lines))) // 2, 2)):
                canvas.set_pixel(x, y, character, "")

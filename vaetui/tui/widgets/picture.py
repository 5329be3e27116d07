"""The one way to draw a picture at a time, which can change while it is shown; it does not know what is pictured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from vaetui.engine.clusters import Pixels
from vaetui.tui.widgets.half_blocks import find_changed_spans, fit_image, render_ascii, render_half_blocks

DrawingMode: TypeAlias = Literal["half", "ascii", "sixel", "kitty"]
DRAWING_MODES: tuple[DrawingMode, ...] = get_args(DrawingMode)
"""In the order in which a key goes through them."""
MODE_DESCRIPTIONS: dict[DrawingMode, str] = {
    "half": "half-blocks",
    "ascii": "letters",
    "sixel": "sixel; nothing to see? i again",
    "kitty": "kitty graphics; nothing to see? i again",
}
"""What a person calls them."""
KITTY_WITHOUT_TRUE_COLOUR = "kitty graphics, unseen without true colours; i again"
"""The number of such a picture is told by its colour of 24 bits, and so lost where the terminal has fewer."""


@dataclass(slots=True)
class _DrawingConfig:
    """The way of drawing, one for the whole program as there is one terminal."""

    mode: DrawingMode = "half"
    canvas_class: type[Any] | None = None
    cell_size: tuple[int, int] = (10, 20)


_drawing_config = _DrawingConfig()


def set_drawing_mode(mode: str, cell_size: tuple[int, int] = (10, 20)) -> None:
    """Choose the way of drawing from now on; `cell` is the size of a character in screen pixels.

    Raises ValueError for a mode that there is not.
    """
    if mode not in DRAWING_MODES:
        raise ValueError(f"no such way of drawing: {mode}")
    _drawing_config.mode, _drawing_config.cell_size = mode, cell_size
    _drawing_config.canvas_class = None
    if mode in ("sixel", "kitty"):
        from vaetui.tui.widgets.graphics import (
            load_canvas_class,  # not at the top: its library is not needed for half-blocks
        )

        _drawing_config.canvas_class = load_canvas_class(mode, cell_size)


def get_drawing_mode() -> DrawingMode:
    """Tell the way of drawing."""
    return _drawing_config.mode


def next_drawing_mode() -> DrawingMode:
    """Tell the way of drawing that comes after the chosen one, around the end."""
    return DRAWING_MODES[(DRAWING_MODES.index(_drawing_config.mode) + 1) % len(DRAWING_MODES)]


def describe_drawing_mode(has_true_colour: bool) -> str:
    """Say in words how pictures are drawn, and what to do where nothing is to be seen."""
    seen = has_true_colour or _drawing_config.mode != "kitty"
    return f"pictures: {MODE_DESCRIPTIONS[_drawing_config.mode] if seen else KITTY_WITHOUT_TRUE_COLOUR}"


class Picture(Widget):
    """A picture in a fixed number of cells, black until it is shown."""

    DEFAULT_CSS = """
    Picture { background: black; color: white; }
    """

    def __init__(self, cells: tuple[int, int], *, id: str | None = None, classes: str | None = None) -> None:
        """Take this many cells across and down; one cell is one pixel across and two down."""
        super().__init__(id=id, classes=classes)
        self.styles.width, self.styles.height = cells
        self._columns, self._rows = cells
        self._image = np.zeros((2 * self._rows, self._columns), np.uint8)
        self._rendered_lines: list[Strip] = []
        self._pixels: Pixels | None = None

    def compose(self) -> Iterable[Widget]:
        """Put a canvas on top where the terminal itself draws."""
        if _drawing_config.canvas_class is not None:
            yield _drawing_config.canvas_class(self._resize_for_canvas())

    def show(self, pixels: Pixels | None) -> None:
        """Set the picture, [H, W] or [H, W, 3], or black; only cells that differ are painted again."""
        self._pixels = pixels
        if _drawing_config.canvas_class is not None:
            for canvas in self.query(_drawing_config.canvas_class):
                canvas.image = self._resize_for_canvas()
            return
        black = np.zeros_like(self._image)
        drawn = black if pixels is None else fit_image(pixels, self._columns, 2 * self._rows)
        before = self._image if self._image.shape == drawn.shape else np.zeros_like(drawn)
        spans = find_changed_spans(before, drawn)
        if spans:
            self._image, self._rendered_lines = drawn, []
            self.refresh(*(Region(column, row, count, 1) for row, column, count in spans))

    def redraw(self) -> None:
        """Draw again after another way of drawing was chosen."""
        self._image, self._rendered_lines = np.zeros_like(self._image), []
        self.refresh(recompose=bool(self.children) or _drawing_config.canvas_class is not None)
        self.show(self._pixels)

    def render_line(self, y: int) -> Strip:
        """Give one row of cells."""
        if not self._rendered_lines:
            self._rendered_lines = (render_ascii if _drawing_config.mode == "ascii" else render_half_blocks)(
                self._image
            )
        if y >= self._rows:
            return Strip.blank(self.size.width)
        return (
            self._rendered_lines[y].apply_style(self.rich_style)
            if _drawing_config.mode == "ascii"
            else self._rendered_lines[y]
        )

    def _resize_for_canvas(self) -> Any:
        """Make what is shown as large as its place, with square pixels; None where nothing is shown."""
        if self._pixels is None:
            return None
        from PIL import Image

        size = _drawing_config.cell_size[0] * self._columns, _drawing_config.cell_size[1] * self._rows
        return Image.fromarray(np.ascontiguousarray(self._pixels)).resize(size, Image.Resampling.NEAREST)

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
from vaetui.tui.widgets.half_blocks import changed, fit, half_blocks, letters

Mode: TypeAlias = Literal["half", "ascii", "sixel", "kitty"]
MODES: tuple[Mode, ...] = get_args(Mode)
"""In the order in which a key goes through them."""
WORDS: dict[Mode, str] = {
    "half": "half-blocks",
    "ascii": "letters",
    "sixel": "sixel; nothing to see? i again",
    "kitty": "kitty graphics; nothing to see? i again",
}
"""What a person calls them."""
COLOURLESS = "kitty graphics, unseen without true colours; i again"
"""The number of such a picture is told by its colour of 24 bits, and so lost where the terminal has fewer."""


@dataclass(slots=True)
class _Way:
    """The way of drawing, one for the whole program as there is one terminal."""

    mode: Mode = "half"
    canvas: type[Any] | None = None
    cell: tuple[int, int] = (10, 20)


_way = _Way()


def choose(mode: str, cell: tuple[int, int] = (10, 20)) -> None:
    """Choose the way of drawing from now on; `cell` is the size of a character in screen pixels.

    Raises ValueError for a mode that there is not.
    """
    if mode not in MODES:
        raise ValueError(f"no such way of drawing: {mode}")
    _way.mode, _way.cell = mode, cell
    _way.canvas = None
    if mode in ("sixel", "kitty"):
        from vaetui.tui.widgets.graphics import canvas_of  # not at the top: its library is not needed for half-blocks

        _way.canvas = canvas_of(mode, cell)


def chosen() -> Mode:
    """Tell the way of drawing."""
    return _way.mode


def next_way() -> Mode:
    """Tell the way of drawing that comes after the chosen one, around the end."""
    return MODES[(MODES.index(_way.mode) + 1) % len(MODES)]


def way_of(true_colours: bool) -> str:
    """Say in words how pictures are drawn, and what to do where nothing is to be seen."""
    seen = true_colours or _way.mode != "kitty"
    return f"pictures: {WORDS[_way.mode] if seen else COLOURLESS}"


class Picture(Widget):
    """A picture in a fixed number of cells, black until it is shown."""

    DEFAULT_CSS = """
    Picture { background: black; color: white; }
    """

    def __init__(self, cells: tuple[int, int], *, id: str | None = None, classes: str | None = None) -> None:
        """Take this many cells across and down; one cell is one pixel across and two down."""
        super().__init__(id=id, classes=classes)
        self.styles.width, self.styles.height = cells
        self._wide, self._tall = cells
        self._drawn = np.zeros((2 * self._tall, self._wide), np.uint8)
        self._strips: list[Strip] = []
        self._pixels: Pixels | None = None

    def compose(self) -> Iterable[Widget]:
        """Put a canvas on top where the terminal itself draws."""
        if _way.canvas is not None:
            yield _way.canvas(self._enlarged())

    def show(self, pixels: Pixels | None) -> None:
        """Set the picture, [H, W] or [H, W, 3], or black; only cells that differ are painted again."""
        self._pixels = pixels
        if _way.canvas is not None:
            for canvas in self.query(_way.canvas):
                canvas.image = self._enlarged()
            return
        black = np.zeros_like(self._drawn)
        drawn = black if pixels is None else fit(pixels, self._wide, 2 * self._tall)
        before = self._drawn if self._drawn.shape == drawn.shape else np.zeros_like(drawn)
        spans = changed(before, drawn)
        if spans:
            self._drawn, self._strips = drawn, []
            self.refresh(*(Region(column, row, count, 1) for row, column, count in spans))

    def redraw(self) -> None:
        """Draw again after another way of drawing was chosen."""
        self._drawn, self._strips = np.zeros_like(self._drawn), []
        self.refresh(recompose=bool(self.children) or _way.canvas is not None)
        self.show(self._pixels)

    def render_line(self, y: int) -> Strip:
        """Give one row of cells."""
        if not self._strips:
            self._strips = (letters if _way.mode == "ascii" else half_blocks)(self._drawn)
        if y >= self._tall:
            return Strip.blank(self.size.width)
        return self._strips[y].apply_style(self.rich_style) if _way.mode == "ascii" else self._strips[y]

    def _enlarged(self) -> Any:
        """Make what is shown as large as its place, with square pixels; None where nothing is shown."""
        if self._pixels is None:
            return None
        from PIL import Image

        size = _way.cell[0] * self._wide, _way.cell[1] * self._tall
        return Image.fromarray(np.ascontiguousarray(self._pixels)).resize(size, Image.Resampling.NEAREST)

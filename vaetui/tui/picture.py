"""The one way to draw a picture, and the one importer of textual_image; it does not know what is pictured."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from vaetui.engine.clusters import Pixels
from vaetui.tui.blocks import changed, fit, half_blocks, letters

Mode: TypeAlias = Literal["half", "ascii", "sixel", "kitty"]
MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(slots=True)
class _Way:
    """The way of drawing, one for the whole program as there is one terminal."""

    mode: Mode = "half"
    canvas: type[Any] | None = None
    cell: tuple[int, int] = (10, 20)


_way = _Way()


def choose(mode: str, cell: tuple[int, int] = (10, 20)) -> None:
    """Choose the way of drawing before the app starts; `cell` is the size of a character in screen pixels.

    Raises ValueError for a mode that there is not.
    """
    if mode not in MODES:
        raise ValueError(f"no such way of drawing: {mode}")
    _way.mode, _way.cell = mode, cell
    _way.canvas = _import_canvas(mode, cell) if mode in ("sixel", "kitty") else None


def chosen() -> Mode:
    """Tell the way of drawing."""
    return _way.mode


class Picture(Widget):
    """A grey picture in a fixed number of cells, black until it is shown."""

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
            yield _way.canvas()

    def show(self, pixels: Pixels | None) -> None:
        """Set the picture, [H, W], or black; only cells that differ are painted again."""
        self._pixels = pixels
        if _way.canvas is not None:
            for canvas in self.query(_way.canvas):
                canvas.image = None if pixels is None else _enlarged(pixels, self._wide, self._tall)
            return
        black = np.zeros_like(self._drawn)
        drawn = black if pixels is None else fit(pixels, self._wide, 2 * self._tall)
        spans = changed(self._drawn, drawn)
        if spans:
            self._drawn, self._strips = drawn, []
            self.refresh(*(Region(column, row, count, 1) for row, column, count in spans))

    def redraw(self) -> None:
        """Draw again after another way of drawing was chosen."""
        self._strips = []
        self.refresh()

    def on_mount(self) -> None:
        """Draw what was shown before there was a canvas."""
        if _way.canvas is not None and self._pixels is not None:
            self.show(self._pixels)

    def render_line(self, y: int) -> Strip:
        """Give one row of cells."""
        if not self._strips:
            self._strips = (letters if _way.mode == "ascii" else half_blocks)(self._drawn)
        if y >= self._tall:
            return Strip.blank(self.size.width)
        return self._strips[y].apply_style(self.rich_style) if _way.mode == "ascii" else self._strips[y]


def _enlarged(pixels: Pixels, wide: int, tall: int) -> Any:
    from PIL import Image

    width, height = _way.cell[0] * wide, _way.cell[1] * tall
    return Image.fromarray(np.ascontiguousarray(pixels)).resize((width, height), Image.Resampling.NEAREST)


def _import_canvas(mode: str, cell: tuple[int, int]) -> type[Any]:
    """Import the widget that draws by escape sequences, with its questions to the terminal kept from it.

    At import the library asks the terminal what it can and how large a character is; answers that come late
    are read as key presses, so it finds no terminal, and is told the size. What to draw with was settled by
    the probe.
    """
    with _no_terminal():
        from textual_image import _terminal, renderable, widget
    _terminal.get_cell_size._result = _terminal.CellSize(*cell)  # type: ignore[attr-defined]
    base: Any = widget.SixelImage if mode == "sixel" else widget.TGPImage

    class Freed(renderable.TGPImage):
        """A picture whose memory in the terminal is given back, which the library leaves behind."""

        def cleanup(self) -> None:
            """Delete the picture and its data."""
            number, self.terminal_image_id = self.terminal_image_id, None
            if number and sys.__stdout__:
                sys.__stdout__.write(f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\")
                sys.__stdout__.flush()

    drawer: Any = base._Renderable if mode == "sixel" else Freed

    class Canvas(base, Renderable=drawer):  # type: ignore[misc, call-arg]
        """A picture that the terminal draws, in a place that never changes its size."""

        DEFAULT_CSS = "Canvas { width: 100%; height: 100%; }"

        def refresh(self, *regions: Region, layout: bool = False, **options: Any) -> Any:
            """Paint again without a new layout of the screen."""
            return super().refresh(*regions, **options)

    return Canvas


@contextmanager
def _no_terminal() -> Iterator[None]:
    before = sys.__stdout__
    sys.__stdout__ = io.StringIO()  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        sys.__stdout__ = before  # type: ignore[misc]

"""The picture widget, and the picture mode that all pictures of the program share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from vaetui.engine.clusters import Pixels
from vaetui.tui.widgets.text_images import (
    find_changed_spans,
    fit_image,
    render_ascii,
    render_half_blocks,
)

PictureMode: TypeAlias = Literal["half", "ascii", "sixel", "kitty"]
PICTURE_MODES: tuple[PictureMode, ...] = get_args(PictureMode)
"""All modes, in the order in which a key switches between them."""
MODE_DESCRIPTIONS: dict[PictureMode, str] = {
    "half": "half-blocks",
    "ascii": "ASCII",
    "sixel": "sixel. Press i again if nothing shows",
    "kitty": "kitty graphics. Press i again if nothing shows",
}
"""The text shown after a switch; terminals without the graphics protocol show nothing at all."""
KITTY_WITHOUT_TRUE_COLOUR = "kitty graphics, invisible without true colour. Press i again"
"""The placeholder characters of a kitty image hold its id in a 24-bit colour, which other terminals change."""


@dataclass(slots=True)
class _PictureConfig:
    """How all pictures are drawn; one object for the program, because it has one terminal."""

    mode: PictureMode = "half"
    canvas_class: type[Any] | None = None
    cell_size: tuple[int, int] = (10, 20)


_config = _PictureConfig()


def set_picture_mode(mode: str, cell_size: tuple[int, int] = (10, 20)) -> None:
    """Set the mode of all pictures; `cell_size` is the width and height of a character in screen pixels.

    Raises ValueError if the mode is unknown.
    """
    if mode not in PICTURE_MODES:
        raise ValueError(f"unknown picture mode: {mode}")
    _config.mode, _config.cell_size = mode, cell_size
    _config.canvas_class = None
    if mode in ("sixel", "kitty"):
        from vaetui.tui.widgets.terminal_graphics import load_canvas_class  # half-blocks do not need its library

        _config.canvas_class = load_canvas_class(mode, cell_size)


def get_picture_mode() -> PictureMode:
    """Return the mode of all pictures."""
    return _config.mode


def get_next_picture_mode() -> PictureMode:
    """Return the mode that follows the current one, wrapping around at the end."""
    return PICTURE_MODES[(PICTURE_MODES.index(_config.mode) + 1) % len(PICTURE_MODES)]


def describe_picture_mode(has_true_colour: bool) -> str:
    """Return a message with the current mode and the key to press if it shows nothing."""
    is_visible = has_true_colour or _config.mode != "kitty"
    return f"Picture mode: {MODE_DESCRIPTIONS[_config.mode] if is_visible else KITTY_WITHOUT_TRUE_COLOUR}"


class Picture(Widget):
    """An image in a fixed number of cells; black until `show_image` is called."""

    DEFAULT_CSS = """
    Picture { background: black; color: white; }
    """

    def __init__(self, cells: tuple[int, int], classes: str | None = None) -> None:
        """Create a black picture of `cells` (columns, rows); a cell is one pixel wide and two pixels high."""
        super().__init__(classes=classes)
        self.styles.width, self.styles.height = cells
        self._columns, self._rows = cells
        self._image = np.zeros((2 * self._rows, self._columns), np.uint8)
        self._rendered_lines: list[Strip] = []
        self._pixels: Pixels | None = None

    def compose(self) -> Iterable[Widget]:
        """Mount a canvas in the modes in which the terminal draws."""
        if _config.canvas_class is not None:
            yield _config.canvas_class(self._resize_for_canvas())

    def show_image(self, pixels: Pixels | None) -> None:
        """Show an image, [H, W] or [H, W, 3], or black for None; repaint only the cells that differ."""
        self._pixels = pixels
        if _config.canvas_class is not None:
            for canvas in self.query(_config.canvas_class):
                canvas.image = self._resize_for_canvas()
            return
        black = np.zeros_like(self._image)
        image = black if pixels is None else fit_image(pixels, self._columns, 2 * self._rows)
        previous = self._image if self._image.shape == image.shape else np.zeros_like(image)
        spans = find_changed_spans(previous, image)
        if spans:
            self._image, self._rendered_lines = image, []
            self.refresh(*(Region(column, row, count, 1) for row, column, count in spans))

    def redraw(self) -> None:
        """Draw the image again after a change of the mode."""
        self._image, self._rendered_lines = np.zeros_like(self._image), []
        self.refresh(recompose=bool(self.children) or _config.canvas_class is not None)
        self.show_image(self._pixels)

    def render_line(self, y: int) -> Strip:
        """Return one row of cells."""
        is_ascii = _config.mode == "ascii"
        if not self._rendered_lines:
            self._rendered_lines = (render_ascii if is_ascii else render_half_blocks)(self._image)
        if y >= self._rows:
            return Strip.blank(self.size.width)
        line = self._rendered_lines[y]
        return line.apply_style(self.rich_style) if is_ascii else line

    def _resize_for_canvas(self) -> Any:
        """Return the image at the size of the widget in screen pixels, or None without an image."""
        if self._pixels is None:
            return None
        from PIL import Image

        size = _config.cell_size[0] * self._columns, _config.cell_size[1] * self._rows
        return Image.fromarray(np.ascontiguousarray(self._pixels)).resize(size, Image.Resampling.NEAREST)

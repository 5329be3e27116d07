"""The picture widget, and the picture mode that all pictures of the program share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from textual.geometry import Region
from textual.strip import Strip

from vaetui.engine.clusters import Pixels
from vaetui.tui.display_choices import DEFAULT_COLOUR_COUNT, PICTURE_MODES, SHOWN_MODES, PictureMode
from vaetui.tui.widgets.terminal_graphics import GraphicsPainter, PaintedWidget, is_painted, set_painter
from vaetui.tui.widgets.text_images import (
    find_changed_spans,
    fit_image,
    render_ascii,
    render_half_blocks,
    set_palette_mode,
)

MODE_DESCRIPTIONS: dict[PictureMode, str] = {
    "half": "half-blocks",
    "ascii": "ASCII",
    "sixel": "sixel",
    "kitty": "kitty graphics",
    "none": "none",
}
"""The text shown after a switch."""


@dataclass(slots=True)
class _PictureConfig:
    """How all pictures are drawn; one object for the program, because it has one terminal."""

    mode: PictureMode = "half"
    offered_modes: tuple[PictureMode, ...] = SHOWN_MODES
    colour_count: int = DEFAULT_COLOUR_COUNT


_config = _PictureConfig()


def set_picture_mode(mode: str, cell_size: tuple[int, int] = (10, 20)) -> None:
    """Set the mode of all pictures; `cell_size` is the width and height of a character in screen pixels.

    Raises ValueError if the mode is unknown.
    """
    if mode not in PICTURE_MODES:
        raise ValueError(f"unknown picture mode: {mode}")
    _config.mode = mode
    set_painter(GraphicsPainter(mode, cell_size, _config.colour_count) if mode in ("sixel", "kitty") else None)


def configure_terminal(offered_modes: Sequence[str], colour_count: int, has_palette: bool = False) -> None:
    """Set what the terminal can display.

    `offered_modes` are those between which a key switches, `colour_count` is the number of colours of a sixel picture,
    and `has_palette` tells whether text has a palette of 256 colours only.
    """
    set_palette_mode(has_palette)
    _config.offered_modes = tuple(mode for mode in PICTURE_MODES if mode in offered_modes)
    _config.colour_count = colour_count


def get_picture_mode() -> PictureMode:
    """Return the mode of all pictures."""
    return _config.mode


def get_next_picture_mode() -> PictureMode:
    """Return the offered mode that follows the current one, wrapping around at the end."""
    offered_modes = _config.offered_modes
    later_modes = PICTURE_MODES[PICTURE_MODES.index(_config.mode) + 1 :]
    return next((mode for mode in later_modes if mode in offered_modes), offered_modes[0])


def describe_picture_mode() -> str:
    """Return a message with the current mode."""
    return f"Picture mode: {MODE_DESCRIPTIONS[_config.mode]}"


class Picture(PaintedWidget):
    """An image in a fixed number of cells; black until `show_image` is called."""

    DEFAULT_CSS = """
    Picture { background: black; color: white; }
    """

    def __init__(self, cells: tuple[int, int], classes: str | None = None) -> None:
        """Create a black picture of `cells` (columns, rows); a cell is one pixel wide and two pixels high."""
        super().__init__(classes=classes)
        self.pixels: Pixels | None = None
        """The image; None for black."""
        self.styles.width, self.styles.height = cells
        self._columns, self._rows = cells
        self._image = np.zeros((2 * self._rows, self._columns), np.uint8)
        self._rendered_lines: list[Strip] = []

    def on_mount(self) -> None:
        """Show nothing, not even black, in the mode without pictures."""
        self.visible = _config.mode != "none"

    def list_images(self) -> Sequence[tuple[Region, Pixels | None]]:
        """Return the image, which fills the widget."""
        return [(Region(0, 0, self._columns, self._rows), self.pixels)]

    def show_image(self, pixels: Pixels | None) -> None:
        """Show an image, [H, W] or [H, W, 3], or black for None; repaint only the cells that differ."""
        if is_painted():
            has_vanished = pixels is None and self.pixels is not None
            self.pixels = pixels
            if has_vanished:
                self.refresh()
            else:
                self.request_painting()
            return
        self.pixels = pixels
        black = np.zeros_like(self._image)
        image = black if pixels is None else fit_image(pixels, self._columns, 2 * self._rows)
        previous = self._image if self._image.shape == image.shape else np.zeros_like(image)
        spans = find_changed_spans(previous, image)
        if spans:
            self._image, self._rendered_lines = image, []
            self.refresh(*(Region(column, row, count, 1) for row, column, count in spans))

    def redraw(self) -> None:
        """Draw the image again after a change of the mode."""
        self._image, self._rendered_lines = np.zeros((2 * self._rows, self._columns), np.uint8), []
        self.visible = _config.mode != "none"
        self.attach_painter()
        self.show_image(self.pixels)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one row of cells."""
        if y >= self._rows or is_painted():
            return Strip.blank(self.size.width, self.rich_style)
        is_ascii = _config.mode == "ascii"
        if not self._rendered_lines:
            self._rendered_lines = (render_ascii if is_ascii else render_half_blocks)(self._image)
        line = self._rendered_lines[y]
        return line.apply_style(self.rich_style) if is_ascii else line

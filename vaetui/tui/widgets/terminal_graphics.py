"""Images that the terminal draws itself (sixel, kitty), placed over blank cells after each frame."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Literal, TypeAlias
from weakref import WeakSet

import numpy as np
from textual.geometry import Region
from textual.screen import Screen
from textual.widget import Widget

from vaetui.engine.clusters import Pixels
from vaetui.tui.terminal import kitty_graphics
from vaetui.tui.terminal.capabilities import measure_cell_pixels
from vaetui.tui.terminal.driver import DRAWING_PREFIX
from vaetui.tui.terminal.paint_pausing_app import PaintPausingApp
from vaetui.tui.terminal.sixel import encode_sixel
from vaetui.tui.widgets.pixel_images import scale_to_pixels

GraphicsMode: TypeAlias = Literal["sixel", "kitty"]
RESTORE_CURSOR = "\x1b8"


class PaintedWidget(Widget):
    """A widget over whose blank cells the terminal draws images, while there is a painter."""

    def list_images(self) -> Sequence[tuple[Region, Pixels | None]]:
        """Return the cells of each image, relative to the widget, and the image; None for no image."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Let the app draw the images after its frames."""
        _painting.widgets.add(self)
        self.attach_painter()

    def attach_painter(self) -> None:
        """Let the app use the present painter, after a change of the picture mode."""
        if isinstance(self.app, PaintPausingApp):
            self.app.set_frame_painter(_painting.painter)

    def request_painting(self) -> None:
        """Draw the images that have changed, without writing their cells before."""
        if self.is_attached and isinstance(self.app, PaintPausingApp):
            self.app.request_frame_painting()


@dataclass(slots=True)
class _Painting:
    """The painter of the program, because it has one terminal, and the widgets with images."""

    painter: GraphicsPainter | None = None
    widgets: WeakSet[PaintedWidget] = field(default_factory=WeakSet)


_painting = _Painting()


def set_painter(painter: GraphicsPainter | None) -> None:
    """Let the terminal draw all images with this painter; None if they are drawn as text."""
    _painting.painter = painter


def is_painted() -> bool:
    """Return whether the terminal draws the images."""
    return _painting.painter is not None


@dataclass(slots=True)
class _SentImage:
    """What the terminal has of an image."""

    pixels: Pixels
    """The image that is shown."""
    region: Region
    """Cells of the whole image on the screen."""
    visible_region: Region
    """Cells of its part that is shown."""
    drawing: str
    """The text that draws the part at the cursor."""
    image_id: int
    """Number of the image in a terminal that stores images."""
    is_hidden: bool = False
    """Whether the terminal stores the image and does not show it."""

    def shows(self, pixels: Pixels, region: Region, visible_region: Region) -> bool:
        """Return whether the drawing is that of the image in these cells, perhaps at another place."""
        part = visible_region.translate(-region.offset)
        is_same_part = self.region.size == region.size and self.visible_region.translate(-self.region.offset) == part
        return is_same_part and (self.pixels is pixels or np.array_equal(self.pixels, pixels))


@dataclass(slots=True)
class _Frame:
    """Texts to send for one frame, in order."""

    transmissions: list[str] = field(default_factory=list)
    """Images to store; these texts must not be dropped."""
    drawings: list[str] = field(default_factory=list)
    """Images to draw; a later frame that covers the screen draws them again."""
    removals: list[str] = field(default_factory=list)
    """Images to hide or delete, once their successors are drawn; these texts must not be dropped."""

    def list_texts(self) -> list[str]:
        """Return the texts that are not empty."""
        drawings = f"{DRAWING_PREFIX}{''.join(self.drawings)}{RESTORE_CURSOR}" if self.drawings else ""
        return [text for text in ("".join(self.transmissions), drawings, "".join(self.removals)) if text]


class GraphicsPainter:
    """Draws the images of the current screen after each frame, and only those that the frame changed.

    The images are blank cells to Textual. Writing these cells erases a sixel image, so each image is drawn again after
    a frame that wrote one of its cells, and never otherwise.
    """

    def __init__(self, mode: GraphicsMode, cell_size: tuple[int, int], colour_count: int) -> None:
        """Draw in cells of `cell_size` (width, height) pixels, in sixel mode with so many colours."""
        self._mode, self._cell_size, self._colour_count = mode, cell_size, colour_count
        self._sent: dict[tuple[PaintedWidget, int], _SentImage] = {}
        self._image_ids: Iterator[int] = count(os.getpid() % 0xFFFF * 0x8000 + 1)

    def update_cell_size(self) -> None:
        """Draw everything again if the font of the terminal has changed."""
        cell_size = measure_cell_pixels()
        if cell_size is not None and cell_size != self._cell_size:
            self._cell_size = cell_size
            for sent in self._sent.values():
                sent.region = Region()  # draws it again

    def paint(self, screen: Screen[object], written_regions: Sequence[Region]) -> list[str]:
        """Return the texts that draw what is missing on the screen after a frame wrote these cells."""
        frame, obsolete_keys = _Frame(), set(self._sent)
        for widget in _painting.widgets:
            if not widget.is_attached:
                continue
            for index, (cells, pixels) in enumerate(widget.list_images()):
                obsolete_keys.discard((widget, index))
                self._paint_image((widget, index), cells, pixels, screen, written_regions, frame)
        for key in obsolete_keys:
            frame.removals.append(self._encode_removal(self._sent.pop(key), is_kept=False))
        return frame.list_texts()

    def _paint_image(
        self,
        key: tuple[PaintedWidget, int],
        cells: Region,
        pixels: Pixels | None,
        screen: Screen[object],
        written_regions: Sequence[Region],
        frame: _Frame,
    ) -> None:
        sent = self._sent.get(key)
        region, visible_region = _find_regions(screen, key[0], cells) if pixels is not None else (Region(), Region())
        if pixels is None or not visible_region:
            if sent is not None and not sent.is_hidden:
                sent.is_hidden = True
                frame.removals.append(self._encode_removal(sent, is_kept=True))
        elif sent is None or not sent.shows(pixels, region, visible_region):
            if sent is not None:
                frame.removals.append(self._encode_removal(sent, is_kept=False))
            sent = self._sent[key] = self._encode(pixels, region, visible_region, frame)
            frame.drawings.append(_move_to(visible_region) + sent.drawing)
        elif (
            sent.is_hidden
            or sent.visible_region != visible_region
            or any(map(visible_region.overlaps, written_regions))
        ):
            sent.is_hidden, sent.region, sent.visible_region = False, region, visible_region
            frame.drawings.append(_move_to(visible_region) + sent.drawing)

    def clear(self) -> list[str]:
        """Return the texts that free what the terminal stores, and forget what it shows."""
        removals = "".join(self._encode_removal(sent, is_kept=False) for sent in self._sent.values())
        self._sent.clear()
        return [removals] if removals else []

    def _encode(self, pixels: Pixels, region: Region, visible_region: Region, frame: _Frame) -> _SentImage:
        width, height = self._cell_size
        image = scale_to_pixels(pixels, region.width * width, region.height * height)
        x, y, columns, rows = visible_region.translate(-region.offset)
        image = image[y * height : (y + rows) * height, x * width : (x + columns) * width]
        image_id = 0
        if self._mode == "kitty":
            image_id = next(self._image_ids)
            frame.transmissions.append(kitty_graphics.encode_transmission(image, image_id))
            drawing = kitty_graphics.encode_placement(image_id, columns, rows)
        else:
            drawing = encode_sixel(image, self._colour_count)
        return _SentImage(pixels, region, visible_region, drawing, image_id)

    def _encode_removal(self, sent: _SentImage, is_kept: bool) -> str:
        """Return the text that hides a picture or deletes it; a sixel picture is erased by the text over it."""
        if not sent.image_id:
            return ""
        encode = kitty_graphics.encode_hiding if is_kept else kitty_graphics.encode_deletion
        return encode(sent.image_id)


def _find_regions(screen: Screen[object], widget: PaintedWidget, cells: Region) -> tuple[Region, Region]:
    """Return the cells of an image on the screen and those of them that are visible; none may be.

    Of an image that a widget covers from below or from above, the rest is visible.
    """
    if widget.screen is not screen or (placement := screen._compositor.visible_widgets.get(widget)) is None:
        return Region(), Region()
    widget_region, clip = placement
    region = cells.translate(widget_region.offset + widget.gutter.top_left)
    visible_region = region.intersection(widget_region).intersection(clip).intersection(screen.size.region)
    while visible_region and not _is_on_top(screen, widget, visible_region.y, visible_region):
        visible_region = visible_region.shrink((1, 0, 0, 0))
    while visible_region and not _is_on_top(screen, widget, visible_region.bottom - 1, visible_region):
        visible_region = visible_region.shrink((0, 0, 1, 0))
    return region, visible_region


def _is_on_top(screen: Screen[object], widget: PaintedWidget, y: int, region: Region) -> bool:
    """Return whether no other widget covers the ends of this row of an image."""
    return all(screen.get_widget_at(x, y)[0] is widget for x in (region.x, region.right - 1))


def _move_to(region: Region) -> str:
    return f"\x1b[{region.y + 1};{region.x + 1}H"

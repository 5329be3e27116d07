"""The least sure images of each class, with class and confidence below each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from vaetui.engine.classes import ClassList
from vaetui.engine.clusters import Pixels
from vaetui.tui.presenters.layout import GridLayout
from vaetui.tui.presenters.least_sure import choose_least_sure
from vaetui.tui.presenters.size_breakpoints import HIDDEN_CLASS
from vaetui.tui.presenters.styled_text import format_class
from vaetui.tui.widgets.tiled_images import LOADING_TEXT, TiledImages, list_grid_places

LEAST_SURE_HEADING = "Least sure images, with predicted class and uncalibrated confidence"
NO_IMAGES_TEXT = "none: all images have an answer"
"""Shown where no image is without an answer of its own."""
ClassImages: TypeAlias = tuple[Pixels, Sequence[float]]
"""Images of a class, [N, H, W] or [N, H, W, 3], and their confidences [N], ascending."""


class LeastSureImages(TiledImages):
    """A heading above as many of the least sure images as fit."""

    DEFAULT_CSS = """
    LeastSureImages { width: 100%; }
    """

    def __init__(self, classes: ClassList, id: str | None = None) -> None:
        """Create a widget without images, for these classes."""
        super().__init__(id=id)
        self.add_class(HIDDEN_CLASS)
        self._class_list = classes
        self._layout: GridLayout | None = None
        self._images_by_class: Mapping[int, ClassImages] | None = None

    def show_layout(self, layout: GridLayout | None) -> None:
        """Arrange the images, or hide them for None."""
        self._layout = layout
        self.set_class(layout is None, HIDDEN_CLASS)
        if layout is None:
            return
        self.styles.height = 1 + layout.rows * layout.row_cells
        self.place_images(list_grid_places(layout))
        self._draw()

    def show_images(self, images_by_class: Mapping[int, ClassImages]) -> None:
        """Show images of classes; without this call they count as not loaded."""
        self._images_by_class = images_by_class
        self._draw()

    def _draw(self) -> None:
        if self._layout is None:
            return
        images_by_class = self._images_by_class or {}
        note = "" if images_by_class else f"  {LOADING_TEXT if self._images_by_class is None else NO_IMAGES_TEXT}"
        self.write_text(1, 0, [(LEAST_SURE_HEADING, "strong"), (note, "")], max(self.size.width - 2, 0))
        confidences = {class_id: values for class_id, (_, values) in images_by_class.items()}
        chosen = choose_least_sure(confidences, self._layout.capacity)
        cells = self._layout.image_cells[0]
        for index, place in enumerate(self.places):
            if index >= len(chosen):
                self.draw_image(index, None)
                self.write_text(place.x, place.y + place.cells[1], (), cells)
                continue
            class_id, position = chosen[index]
            pixels, values = images_by_class[class_id]
            percent = f" {100 * values[position]:.0f} %"
            caption = (*format_class(class_id, self._class_list, cells - len(percent)), (percent, "dim"))
            self.write_text(place.x, place.y + place.cells[1], caption, cells)
            # One image per turn of the event loop: keys are handled between two of them.
            self.call_later(self._draw_one, index, pixels[position])

    def _draw_one(self, index: int, pixels: Pixels) -> None:
        if index < len(self.places):  # the layout may have changed since
            self.draw_image(index, pixels)

"""A large picture in a heavy frame with text in its upper and lower side."""

from __future__ import annotations

from rich.cells import cell_len

from vaetui.engine.clusters import Pixels
from vaetui.tui.widgets.tiled_images import Place, TiledImages


class FramedImage(TiledImages):
    """A picture with a frame."""

    def __init__(self, cells: tuple[int, int]) -> None:
        """Create a frame around a picture of `cells` (columns, rows)."""
        super().__init__()
        self._columns, self._rows = cells
        self.styles.width, self.styles.height = self._columns + 2, self._rows + 2
        self.place_images([Place(1, 1, cells)])
        for y in range(1, self._rows + 1):
            for x in (0, self._columns + 1):
                self.write_text(x, y, [("┃", "focus")])

    def show_texts(self, top_text: str, bottom_text: str) -> None:
        """Show the texts in the frame."""
        self.show_top_text(top_text)
        self._write_side(self._rows + 1, bottom_text, "┗┛")

    def show_top_text(self, text: str) -> None:
        """Show the text in the upper side."""
        self._write_side(0, text, "┏┓")

    def show_image(self, top_text: str, bottom_text: str, pixels: Pixels) -> None:
        """Show an image, [H, W] or [H, W, 3], and the texts in the frame."""
        self.show_texts(top_text, bottom_text)
        self.draw_image(0, pixels)

    def _write_side(self, y: int, text: str, corners: str) -> None:
        padded_text = f" {text} " if text else ""
        rule = "━" * (self._columns - cell_len(padded_text))
        self.write_text(0, y, [(f"{corners[0]}{padded_text}{rule}{corners[1]}", "focus")])

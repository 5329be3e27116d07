"""Thumbnails of members of the focused cluster."""

from __future__ import annotations

from vaetui.engine.clusters import Pixels
from vaetui.session.views import MemberOrder
from vaetui.tui.presenters.layout import GridLayout
from vaetui.tui.presenters.styled_text import Piece, count_cells
from vaetui.tui.widgets.tiled_images import LOADING_TEXT, TiledImages, list_grid_places


class MemberGrid(TiledImages):
    """A heading above a grid of member images; a picture of the whole cluster may come first."""

    def __init__(self, layout: GridLayout) -> None:
        """Create a grid of thumbnails."""
        super().__init__()
        self.capacity = layout.capacity
        """The number of images that fit."""
        self._layout = layout
        self._heading_cells = layout.columns * layout.column_cells - 1
        self.styles.width = 1 + self._heading_cells
        self.styles.height = "100%"
        self.place_images(list_grid_places(layout))

    def show_members(
        self, order: MemberOrder, pixels: Pixels, centre: Pixels | None = None, centre_heading: str = "centre"
    ) -> None:
        """Show these members, [N, H, W] or [N, H, W, 3]; N is 0 until the images are loaded.

        `centre`, such as the decoded centre or the mean image, is shown before them below its heading.
        """
        heading: list[Piece] = [] if centre is None else [(f"{centre_heading:<{self._layout.column_cells}}", "dim")]
        room = self._heading_cells - count_cells(heading)
        heading.append((f"{order} members"[: room if room >= 15 else len(order)], "strong"))
        if not len(pixels):
            room = self._heading_cells - count_cells(heading)
            heading.append((f"  {LOADING_TEXT}" if room >= len(LOADING_TEXT) + 2 else "  loading …"[:room], ""))
        self.write_text(1, 0, heading, self._heading_cells)
        # In a later turn of the event loop: a key that arrived meanwhile is handled first.
        self.call_later(self.draw_images, [*([] if centre is None else [centre]), *pixels])

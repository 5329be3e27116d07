"""The clusters of the round as thumbnails with their answers, for large terminals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vaetui.engine.answers import ClusterPath
from vaetui.engine.classes import ClassList
from vaetui.engine.clusters import Pixels
from vaetui.session.views import ClusterView
from vaetui.tui.presenters.layout import compute_page_bounds, compute_tile_grid
from vaetui.tui.presenters.styled_text import Piece, count_cells, format_list_entry, format_tile_caption
from vaetui.tui.widgets.tiled_images import TiledImages, list_grid_places


class ClusterGrid(TiledImages):
    """Pages of cluster thumbnails, the focused one in a heavy frame, and below them the clusters of other pages."""

    DEFAULT_CSS = """
    ClusterGrid { width: 100%; height: 1fr; }
    """

    def __init__(self, width: int, rows: int) -> None:
        """Create a grid for an area of `width` cells and `rows` lines."""
        super().__init__()
        self._width, self._rows = width, rows
        self._layout = compute_tile_grid(width, rows, 1)
        self._focus_position: int | None = None
        self._page: Sequence[ClusterView] = ()
        self._read_member: Callable[[ClusterPath], Pixels] | None = None
        self._nearest_members: dict[ClusterPath, tuple[Pixels, Pixels]] = {}  # by path: the centre and the member

    @property
    def clusters_per_row(self) -> int:
        """Clusters in a row."""
        return self._layout.columns

    @property
    def page_size(self) -> int:
        """Clusters on a page."""
        return self._layout.capacity

    def set_row_count(self, rows: int) -> None:
        """Use so many lines from now on."""
        self._rows = rows

    def show_clusters(self, clusters: Sequence[ClusterView], focus_index: int, classes: ClassList) -> None:
        """Show the page that contains the cluster at `focus_index`."""
        layout = compute_tile_grid(self._width, self._rows, len(clusters))
        if layout != self._layout or not self.places:
            self._layout, self._focus_position = layout, None
            self.place_images(list_grid_places(layout))
        start, end = compute_page_bounds(focus_index, len(clusters), layout.capacity)
        self._page = clusters[start:end]
        self._move_frame(focus_index - start)
        for position in range(layout.capacity):
            index = start + position
            self._show_tile(position, clusters[index] if index < end else None, index == focus_index, classes)
        self._show_other_pages([*clusters[:start], *clusters[end:]], classes)
        self._request_nearest_members()

    def show_nearest_members(self, read_member: Callable[[ClusterPath], Pixels]) -> None:
        """From now on, replace the blurred centres of colour images by the nearest members."""
        self._read_member = read_member
        self._request_nearest_members()

    def _request_nearest_members(self) -> None:
        if self._read_member is not None:
            for position, cluster in enumerate(self._page):
                if cluster.picture.ndim == 3 and self._find_nearest_member(cluster) is None:
                    # One per turn of the event loop: keys are handled in between.
                    self.call_later(self._read_nearest_member, position, cluster, self._read_member)

    def _read_nearest_member(
        self, position: int, cluster: ClusterView, read_member: Callable[[ClusterPath], Pixels]
    ) -> None:
        is_shown = position < len(self._page) and self._page[position] is cluster
        if is_shown and self._find_nearest_member(cluster) is None and len(pixels := read_member(cluster.path)):
            self._nearest_members[cluster.path] = cluster.picture, pixels[0]
            self.draw_image(position, pixels[0])

    def _find_nearest_member(self, cluster: ClusterView) -> Pixels | None:
        """Return the member that was read for this cluster, and not for one that had its path before."""
        centre, member = self._nearest_members.get(cluster.path, (None, None))
        return member if centre is not None and np.array_equal(centre, cluster.picture) else None

    def _show_tile(self, position: int, cluster: ClusterView | None, is_focused: bool, classes: ClassList) -> None:
        x, y, (columns, rows) = self.places[position]
        member = None if cluster is None else self._find_nearest_member(cluster)
        self.draw_image(position, None if cluster is None else cluster.picture if member is None else member)
        caption = () if cluster is None else format_tile_caption(cluster, classes, columns)
        rule: Piece = (" " + "━" * (columns - 1 - count_cells(caption)), "focus")
        self.write_text(x, y + rows, (*caption, rule) if is_focused else caption, columns)

    def _move_frame(self, position: int) -> None:
        """Draw the frame around the thumbnail at `position`, apart from its lower side, and remove the last frame."""
        previous, self._focus_position = self._focus_position, position
        if previous == position:
            return
        for frame_position in (previous, position):
            if frame_position is not None:
                is_shown = frame_position == position
                self.write_frame(self.places[frame_position], is_shown, has_lower_side=False)

    def _show_other_pages(self, clusters: Sequence[ClusterView], classes: ClassList) -> None:
        """List the clusters of other pages in the rows below the thumbnails."""
        first_row = self._layout.rows * self._layout.row_cells
        entries = [format_list_entry(cluster, classes) for cluster in clusters]
        for y in range(first_row, self._rows):
            line: list[Piece] = [("  other pages:", "dim")] if entries and y == first_row else []
            while entries and count_cells(line) + count_cells(entries[0]) + 4 <= self._width:
                line += [("  ", ""), *entries.pop(0)]
            if entries and y == self._rows - 1:
                line.append((" …", "dim"))
            self.write_text(0, y, line, self._width if line else None)

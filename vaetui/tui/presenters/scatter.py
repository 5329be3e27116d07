"""Points of classes as braille dots: which dots of which cells of a terminal are set, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

DOTS_PER_CELL = (2, 4)
"""Columns and rows of dots in a braille character."""
DOT_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The bit of each dot in the code of its character, by row and column; U+2800 is the character without dots."""
NO_POINTS, MIXED, NO_CLASS = -3, -2, -1
"""Stand for the class of a cell without points, of several classes, and of points without a class."""
MIXED_SHARE = 2 / 3
"""A cell in which no class has this share of the points that have a class is mixed."""
MIN_CLASS_SHARE = 1 / 3
"""A cell in which fewer of the points have a class has none."""
MAX_TABLE_CELLS = 4_000_000
"""Largest table of cells by classes that is counted at once; larger ones are counted by sorting."""
ZOOM_STEP = 2.0
"""Factor of one zoom step."""
MIN_ZOOM, MAX_ZOOM = 1 / 4, 256.0
"""Limits of the zoom: 1 shows the square from 0 to 1, which holds most points."""
MARGIN = 0.03
"""Space around that square, as a share of its side."""
DENSITY_PERCENTILE = 98
"""Percentile of the points on a dot that counts as full: a few dots with many points do not empty all others."""
DITHER_THRESHOLDS = (np.array([[0, 4], [6, 2], [1, 5], [7, 3]]) + 0.5) / 8
"""Density from which on each dot of a cell is set, from 0 to 1, by row and column (ordered dithering)."""


@dataclass(frozen=True, slots=True)
class Viewport:
    """The part of the plane that is shown."""

    x: float = 0.5
    """The x coordinate of its centre."""
    y: float = 0.5
    """The y coordinate of its centre."""
    zoom: float = 1.0
    """Magnification."""

    @property
    def side(self) -> float:
        """Width and height of the part."""
        return (1 + 2 * MARGIN) / self.zoom

    def zoom_at(self, point: tuple[float, float], factor: float) -> Viewport:
        """Return the viewport magnified by a factor, with the point at the same place of the screen."""
        zoom = min(max(self.zoom * factor, MIN_ZOOM), MAX_ZOOM)
        share = self.zoom / zoom
        return Viewport(point[0] + (self.x - point[0]) * share, point[1] + (self.y - point[1]) * share, zoom)

    def scroll_to(self, point: tuple[float, float], half_cell: tuple[float, float]) -> Viewport:
        """Return the viewport moved just so far that the cell around the point, given its half sides, is inside."""
        limits = self.side / 2 - half_cell[0], self.side / 2 - half_cell[1]
        return replace(
            self,
            x=min(max(self.x, point[0] - limits[0]), point[0] + limits[0]),
            y=min(max(self.y, point[1] - limits[1]), point[1] + limits[1]),
        )

    def find_cells(self, points: NDArray[np.floating], columns: int, rows: int) -> NDArray[np.int64]:
        """Return column and row of the cells of points [N, 2], [N, 2]; outside of the screen they are out of range."""
        return self.find_dots(points, columns, rows) // DOTS_PER_CELL

    def find_dots(self, points: NDArray[np.floating], columns: int, rows: int) -> NDArray[np.int64]:
        """Return column and row of the dots of points [N, 2], [N, 2]; outside of the screen they are out of range."""
        dots_per_unit = np.array([columns * DOTS_PER_CELL[0], rows * DOTS_PER_CELL[1]]) / self.side
        offsets = np.stack([points[:, 0] - (self.x - self.side / 2), (self.y + self.side / 2) - points[:, 1]], axis=1)
        dots: NDArray[np.int64] = np.floor(np.clip(offsets * dots_per_unit, -1e9, 1e9)).astype(np.int64)
        return dots


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """Points in the cells of a screen."""

    dot_codes: NDArray[np.int64]
    """The dots of each cell that are set as bits, see `DOT_BITS`, [rows, columns]."""
    class_ids: NDArray[np.int64]
    """The class of each cell, or `NO_POINTS`, `MIXED` or `NO_CLASS`, [rows, columns]."""


def rasterise(
    points: NDArray[np.float32], class_ids: NDArray[np.int64], viewport: Viewport, columns: int, rows: int
) -> Raster:
    """Return the dots of points [N, 2] of classes [N] on a screen of that size, with the class of each cell.

    Where points overlap, the share of the dots that are set grows with the root of their density. No dot without a
    point is set, and in each cell with points at least the dot with most of them.
    """
    dots = viewport.find_dots(points, columns, rows)
    is_visible = ((dots >= 0) & (dots < (columns * DOTS_PER_CELL[0], rows * DOTS_PER_CELL[1]))).all(axis=1)
    (dot_columns, dot_rows), visible_ids = dots[is_visible].T, class_ids[is_visible]
    width = columns * DOTS_PER_CELL[0]
    dot_counts = np.bincount(dot_rows * width + dot_columns, minlength=rows * DOTS_PER_CELL[1] * width)
    blocks = dot_counts.reshape(rows, DOTS_PER_CELL[1], columns, DOTS_PER_CELL[0]).transpose(0, 2, 1, 3)

    cells = (dot_rows // DOTS_PER_CELL[1]) * columns + dot_columns // DOTS_PER_CELL[0]
    has_class = visible_ids >= 0
    counts = np.bincount(cells, minlength=rows * columns)
    class_counts = np.bincount(cells[has_class], minlength=rows * columns)
    top_ids, top_counts = _find_most_frequent(cells[has_class], visible_ids[has_class], rows * columns)
    cell_ids = np.where(top_counts >= MIXED_SHARE * class_counts, top_ids, MIXED)
    cell_ids[class_counts < MIN_CLASS_SHARE * counts] = NO_CLASS
    cell_ids[counts == 0] = NO_POINTS
    return Raster(_dither(blocks.reshape(rows, columns, -1)), cell_ids.reshape(rows, columns))


def _dither(dot_counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the bits of the dots to set, [rows, columns], for the points on each dot, [rows, columns, 8]."""
    has_points = dot_counts > 0
    if not has_points.any():
        return np.zeros(dot_counts.shape[:2], np.int64)
    full_count = np.percentile(dot_counts[has_points], DENSITY_PERCENTILE)
    is_set = has_points & (np.sqrt(dot_counts / full_count) > DITHER_THRESHOLDS.ravel())
    dot_codes: NDArray[np.int64] = (is_set * DOT_BITS.ravel()).sum(axis=2)
    is_empty = (dot_codes == 0) & has_points.any(axis=2)
    dot_codes[is_empty] = DOT_BITS.ravel()[dot_counts[is_empty].argmax(axis=1)]
    return dot_codes


def _find_most_frequent(
    cells: NDArray[np.int64], class_ids: NDArray[np.int64], cell_count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the most frequent class of each cell, the smaller one of equally frequent ones, and its points."""
    present_ids, positions = np.unique(class_ids, return_inverse=True)
    if not len(present_ids):
        return np.full(cell_count, NO_CLASS), np.zeros(cell_count, np.int64)
    keys = cells * len(present_ids) + positions
    if cell_count * len(present_ids) <= MAX_TABLE_CELLS:
        table = np.bincount(keys, minlength=cell_count * len(present_ids)).reshape(cell_count, -1)
        return present_ids[table.argmax(axis=1)], table.max(axis=1)
    pairs, counts = np.unique(keys, return_counts=True)
    order = np.lexsort((-pairs, counts))  # of each cell, the most frequent class is assigned last
    top_ids, top_counts = np.full(cell_count, NO_CLASS), np.zeros(cell_count, np.int64)
    pair_cells, pair_classes = pairs[order] // len(present_ids), pairs[order] % len(present_ids)
    top_ids[pair_cells], top_counts[pair_cells] = present_ids[pair_classes], counts[order]
    return top_ids, top_counts


@dataclass(frozen=True, slots=True)
class PlotLabel:
    """A text over the points."""

    column: int
    """Its first column."""
    row: int
    """Its row."""
    text: str
    """The text, without line breaks."""
    style: str
    """Its Rich style."""


LABEL_SHIFTS = ((0, 0), (-1, 0), (1, 0), (0, 2), (0, -2), (-2, 0), (2, 0), (-1, 3), (1, 3), (-1, -3), (1, -3))
"""Rows and columns by which a label may be moved when its place is taken."""


class LabelPlacer:
    """Finds places for labels that do not overlap; earlier labels keep their places."""

    def __init__(self, columns: int, rows: int) -> None:
        """Start with an empty screen."""
        self._is_taken = np.zeros((rows, columns), bool)
        self.labels: list[PlotLabel] = []
        """The labels placed so far."""

    def place(self, cell: tuple[int, int], text: str, cells: int, style: str) -> bool:
        """Place a text of `cells` cells centred on the cell (column, row) or near it; return whether there is room."""
        rows, columns = self._is_taken.shape
        if not (0 <= cell[0] < columns and 0 <= cell[1] < rows and cells <= columns):
            return False
        for row_shift, column_shift in LABEL_SHIFTS:
            row = cell[1] + row_shift
            column = min(max(cell[0] + column_shift - cells // 2, 0), columns - cells)
            if 0 <= row < rows and not self._is_taken[row, max(column - 1, 0) : column + cells + 1].any():
                self._is_taken[row, column : column + cells] = True
                self.labels.append(PlotLabel(column, row, text, style))
                return True
        return False

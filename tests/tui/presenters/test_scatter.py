"""Tests of points as braille dots: exact dots, density, classes of cells, zoom, and labels without overlap."""

from __future__ import annotations

import numpy as np
import pytest

from vaetui.tui.presenters import scatter
from vaetui.tui.presenters.scatter import MIXED, NO_CLASS, NO_POINTS, LabelPlacer, Viewport, rasterise

COLUMNS, ROWS = 20, 10


def find_set_dots(dot_codes: np.ndarray) -> set[tuple[int, int]]:
    """Return (column, row) of all dots that the characters show."""
    rows, columns = dot_codes.shape
    return {
        (2 * column + dot_column, 4 * row + dot_row)
        for row in range(rows)
        for column in range(columns)
        for (dot_row, dot_column), bit in np.ndenumerate(scatter.DOT_BITS)
        if dot_codes[row, column] & bit
    }


def centre_of_dot(column: int, row: int, viewport: Viewport) -> tuple[float, float]:
    left, top = viewport.x - viewport.side / 2, viewport.y + viewport.side / 2
    return left + (column + 0.5) * viewport.side / (2 * COLUMNS), top - (row + 0.5) * viewport.side / (4 * ROWS)


def test_the_dots_have_the_codes_of_unicode() -> None:
    """Dots 1, 2, 3 and 7 are the left column of a braille character, 4, 5, 6 and 8 the right one."""
    assert [chr(0x2800 + bit) for bit in scatter.DOT_BITS.T.ravel().tolist()] == [*"⠁⠂⠄⡀⠈⠐⠠⢀"]


@pytest.mark.parametrize("viewport", [Viewport(), Viewport(0.3, 0.8, 4), Viewport(0.1, 0.1, 100)])
def test_every_point_sets_its_dot_and_no_other_at_any_zoom(viewport: Viewport) -> None:
    generator = np.random.default_rng(1)
    dots = {(int(column), int(row)) for column, row in generator.integers(0, (2 * COLUMNS, 4 * ROWS), (150, 2))}
    points = np.array([centre_of_dot(*dot, viewport) for dot in sorted(dots)], np.float64)
    raster = rasterise(points, np.zeros(len(points), int), viewport, COLUMNS, ROWS)
    assert find_set_dots(raster.dot_codes) == dots


def test_points_outside_of_the_viewport_set_no_dot() -> None:
    points = np.array([[-9, 0.5], [9, 0.5], [0.5, -9], [0.5, 9], [1e30, -1e30]], np.float32)
    raster = rasterise(points, np.zeros(5, int), Viewport(), COLUMNS, ROWS)
    assert not raster.dot_codes.any()
    assert (raster.class_ids == NO_POINTS).all()


def test_up_is_up_and_right_is_right() -> None:
    raster = rasterise(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([3, 7]), Viewport(), COLUMNS, ROWS)
    assert raster.class_ids[0, 0] == 3
    assert raster.class_ids[ROWS - 1, COLUMNS - 1] == 7


def test_dense_cells_have_more_dots_than_sparse_ones_and_no_cell_with_points_is_empty() -> None:
    generator = np.random.default_rng(2)
    sizes = [2_000, 600, 200, 50, 1]
    dots = [
        (2 * index + int(column), 4 * index + int(row))
        for index, size in enumerate(sizes)
        for column, row in generator.integers(0, (2, 4), (size, 2))
    ]
    points = np.array([centre_of_dot(*dot, Viewport()) for dot in dots])
    raster = rasterise(points, np.zeros(len(points), int), Viewport(), COLUMNS, ROWS)
    dot_counts = [int(raster.dot_codes[index, index]).bit_count() for index in range(len(sizes))]
    assert dot_counts == sorted(dot_counts, reverse=True)
    assert (dot_counts[0], dot_counts[-1]) == (8, 1)
    assert len({*dot_counts}) >= 4
    assert np.count_nonzero(raster.dot_codes) == len(sizes)


def test_the_class_of_a_cell_is_that_of_most_of_its_points() -> None:
    cells = {(0, 0): [4, 4, 4, 9], (1, 0): [4, 9], (2, 0): [-1, -1, -1, 4], (3, 0): [-1, -1, 9], (4, 0): [-1, 4, 9]}
    points = [centre_of_dot(2 * column, 4 * row, Viewport()) for column, row in cells for _ in cells[column, row]]
    class_ids = np.array([class_id for ids in cells.values() for class_id in ids])
    raster = rasterise(np.array(points), class_ids, Viewport(), COLUMNS, ROWS)
    assert raster.class_ids[0, :6].tolist() == [4, MIXED, NO_CLASS, 9, MIXED, NO_POINTS]


def test_counting_by_sorting_gives_the_same_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(3)
    points, class_ids = generator.uniform(0, 1, (3_000, 2)), generator.integers(-1, 200, 3_000)
    class_ids[:2_000] = generator.integers(0, 2, 2_000)
    expected = rasterise(points, class_ids, Viewport(), COLUMNS, ROWS)
    monkeypatch.setattr(scatter, "MAX_TABLE_CELLS", 0)
    assert np.array_equal(rasterise(points, class_ids, Viewport(), COLUMNS, ROWS).class_ids, expected.class_ids)


def test_zooming_keeps_the_point_under_the_cursor_and_stops_at_the_limits() -> None:
    viewport, point = Viewport(), (0.21, 0.83)
    cell = viewport.find_cells(np.array([point]), COLUMNS, ROWS).tolist()
    for factor in [2, 2, 2, 2, 0.5, 0.5]:
        viewport = viewport.zoom_at(point, factor)
        assert viewport.find_cells(np.array([point]), COLUMNS, ROWS).tolist() == cell
    assert viewport.zoom == 4
    assert viewport.zoom_at(point, 1e9).zoom == scatter.MAX_ZOOM
    assert viewport.zoom_at(point, 1e-9).zoom == scatter.MIN_ZOOM


def test_scrolling_moves_just_so_far_that_the_cursor_is_inside() -> None:
    half_cell = (Viewport(zoom=4).side / (2 * COLUMNS), Viewport(zoom=4).side / (2 * ROWS))
    viewport = Viewport(0.5, 0.5, 4)
    assert viewport.scroll_to((0.52, 0.48), half_cell) == viewport
    moved = viewport.scroll_to((0.9, 0.5), half_cell)
    assert moved.y == viewport.y
    assert moved.find_cells(np.array([[0.9, 0.5]]), COLUMNS, ROWS)[0, 0] in (COLUMNS - 1, COLUMNS)
    assert moved.find_cells(np.array([[0.9 - 1e-6, 0.5]]), COLUMNS, ROWS)[0, 0] == COLUMNS - 1


def test_labels_do_not_overlap_and_a_label_without_room_is_refused() -> None:
    placer = LabelPlacer(12, 3)
    results = [placer.place((5, 1), f"label{number}", 6, "") for number in range(9)]
    assert results[0]
    assert not results[-1]
    taken = [(label.row, column) for label in placer.labels for column in range(label.column, label.column + 6)]
    assert len(taken) == len({*taken})
    assert all(0 <= row < 3 and 0 <= column < 12 for row, column in taken)
    assert not placer.place((5, 1), "much too long for it", 20, "")
    assert not placer.place((-1, 1), "outside", 2, "")

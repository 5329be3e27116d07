"""Tests of the layouts and the pages."""

from __future__ import annotations

import pytest

from vaetui.tui.presenters.layout import (
    TILE_SIZES_CELLS,
    compute_labelling_layout,
    compute_page_bounds,
    compute_page_grid,
    compute_tile_grid,
    fit_picture_cells,
)

SIZES = [(80, 24), (120, 40), (60, 18), (100, 30), (100, 37), (160, 50), (200, 60), (79, 40), (130, 36), (300, 90)]


@pytest.mark.parametrize("pixel_size", [(28, 28), (64, 64), (32, 32), (8, 8), (100, 60), (60, 100)])
@pytest.mark.parametrize("size", SIZES)
def test_labelling_layout_fills_the_terminal_without_overflow(
    size: tuple[int, int], pixel_size: tuple[int, int]
) -> None:
    layout = compute_labelling_layout(*size, pixel_size)
    (width, height), grid, (columns, rows) = size, layout.member_grid, layout.centre_cells
    panel_cells = layout.panel_cells and layout.panel_cells + 3
    assert columns + 2 + 1 + grid.columns * grid.column_cells - 1 + panel_cells <= width
    assert 1 + grid.rows * grid.row_cells - grid.row_gap <= rows + 2
    assert rows + 2 + layout.list_rows + (4 if layout.panel_cells else 5) == height
    assert grid.capacity >= 2
    assert layout.has_thumbnails == (width >= 100 and height >= 30)
    assert columns <= width // 2


@pytest.mark.parametrize("count", [1, 2, 10, 16, 20, 64, 200])
@pytest.mark.parametrize("size", [(100, 8), (100, 9), (100, 10), (120, 20), (160, 16), (200, 26), (300, 50)])
def test_framed_thumbnails_fit_and_are_the_largest_of_which_all_fit(size: tuple[int, int], count: int) -> None:
    grid, (width, height) = compute_tile_grid(*size, count), size
    assert grid.columns * grid.column_cells + 1 <= width
    assert grid.rows * (grid.image_cells[1] + 2) <= height
    larger_sizes = TILE_SIZES_CELLS[: TILE_SIZES_CELLS.index(grid.image_cells)]
    for columns, rows in larger_sizes:
        assert (width - 1) // (columns + 1) * (height // (rows + 2)) < min(count, grid.capacity + 1)


def test_number_of_thumbnails_and_members_grows_with_the_terminal() -> None:
    expected = {(80, 24): (6, 0), (100, 30): (6, 7), (120, 40): (8, 16), (160, 50): (12, 16), (200, 60): (24, 16)}
    for size, (member_count, thumbnail_count) in expected.items():
        layout = compute_labelling_layout(*size)
        assert layout.member_grid.capacity >= member_count
        if layout.has_thumbnails:
            assert compute_tile_grid(size[0], layout.list_rows, 16).capacity >= thumbnail_count


def test_focused_picture_grows_by_whole_factors_and_shows_large_images_as_large_as_they_fit() -> None:
    assert compute_labelling_layout(120, 40).centre_cells == (28, 14)
    assert compute_labelling_layout(200, 60).centre_cells == (56, 28)
    assert compute_labelling_layout(120, 40, (64, 64)).centre_cells == (36, 18)
    assert compute_labelling_layout(200, 60, (64, 64)).centre_cells == (64, 32)
    assert fit_picture_cells(100, 20, (20, 40)) == (20, 20)
    assert fit_picture_cells(40, 40, (200, 100)) == (40, 10)


def test_page_contains_its_index_and_pages_cover_all_items() -> None:
    pages = [set(range(*compute_page_bounds(index, 37, 16))) for index in range(37)]
    assert all(index in page for index, page in enumerate(pages))
    assert set().union(*pages) == set(range(37))


@pytest.mark.parametrize(
    ("size", "has_colours", "cells", "part_count"),
    [
        ((120, 36), False, (13, 7), 1),
        ((80, 20), False, (16, 8), 4),
        ((60, 14), False, (13, 7), 8),
        ((200, 56), False, (20, 10), 1),
        ((120, 36), True, (18, 9), 2),
        ((80, 20), True, (16, 8), 4),
        ((12, 5), False, (12, 6), 32),
    ],
)
def test_page_is_shown_in_few_parts_of_the_largest_tiles_that_allow_so_few(
    size: tuple[int, int], has_colours: bool, cells: tuple[int, int], part_count: int
) -> None:
    grid = compute_page_grid(*size, 32, has_colours)
    assert (grid.image_cells, -(-32 // grid.capacity)) == (cells, part_count)


@pytest.mark.parametrize("count", [1, 2, 7, 20, 32])
@pytest.mark.parametrize("has_colours", [False, True])
@pytest.mark.parametrize("size", [(60, 14), (80, 20), (100, 26), (120, 36), (200, 56), (300, 90)])
def test_page_of_any_length_fits(size: tuple[int, int], has_colours: bool, count: int) -> None:
    grid, (width, height) = compute_page_grid(*size, count, has_colours), size
    assert grid.columns * grid.column_cells + 1 <= width
    assert grid.rows * grid.row_cells <= height

"""Tests of the layouts and the pages."""

from __future__ import annotations

import pytest

from vaetui.tui.presenters.layout import compute_labelling_layout, compute_page_bounds


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 18), (100, 30), (200, 60), (79, 40), (130, 36)])
def test_labelling_layout_fills_the_terminal_without_overflow(size: tuple[int, int]) -> None:
    layout = compute_labelling_layout(*size)
    width, height = size
    assert layout.centre_cells[0] + 3 + layout.member_grid[0] * 15 <= width
    assert layout.member_grid[1] * 7 + 1 <= layout.centre_cells[1] + 2
    assert layout.centre_cells[1] + 2 + layout.list_rows + (4 if layout.cluster_grid else 5) == height
    assert layout.member_grid[0] * layout.member_grid[1] >= 2
    if layout.cluster_grid:
        assert layout.cluster_grid[0] * 15 <= width
        assert layout.cluster_grid[1] * 8 <= layout.list_rows


def test_terminal_of_120_by_40_shows_sixteen_thumbnails() -> None:
    assert compute_labelling_layout(120, 40).cluster_grid == (8, 2)


def test_page_contains_its_index_and_pages_cover_all_items() -> None:
    pages = [set(range(*compute_page_bounds(index, 37, 16))) for index in range(37)]
    assert all(index in page for index, page in enumerate(pages))
    assert set().union(*pages) == set(range(37))

"""The focus goes where work is left."""

from __future__ import annotations

import pytest

from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClassAnswer, Split, Unreadable
from vaetui.tui.presenters.focus import find_cluster_index, find_unanswered, move_focus
from vaetui.tui.presenters.layout import compute_labelling_layout, compute_page_bounds


def test_after_the_last_part_comes_the_next_neighbour_of_the_parent() -> None:
    session = ScriptedSession(clusters=4)
    session.answer_log = [((1,), Split(2)), ((1, 1), ClassAnswer(3))]
    tiles = session.round_view().clusters
    assert [tile.path for tile in tiles] == [(0,), (1,), (1, 0), (1, 1), (2,), (3,)]
    assert find_unanswered(tiles, find_cluster_index(tiles, (1, 1))) == find_cluster_index(tiles, (2,))
    assert find_unanswered(tiles, find_cluster_index(tiles, (2,)), -1) == find_cluster_index(tiles, (1, 0))
    assert find_unanswered(tiles, find_cluster_index(tiles, (3,))) == 0


def test_where_all_are_answered_there_is_no_next() -> None:
    session = ScriptedSession(clusters=2)
    session.answer_log = [((0,), Unreadable()), ((1,), ClassAnswer(1))]
    assert find_unanswered(session.round_view().clusters, 0) is None


def test_a_cluster_that_is_gone_is_looked_for_above() -> None:
    tiles = ScriptedSession(clusters=3).round_view().clusters
    assert find_cluster_index(tiles, (2, 1, 0)) == 2
    assert find_cluster_index(tiles, (9,)) == 0


@pytest.mark.parametrize(
    ("at", "key", "to"),
    [(0, "left", 0), (0, "right", 1), (0, "down", 8), (9, "up", 1), (3, "up", 3), (7, "down", 10), (10, "right", 10)],
)
def test_arrows_move_in_rows_and_stop_at_the_edge(at: int, key: str, to: int) -> None:
    assert move_focus(at, key, columns=8, count=11) == to


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 18), (100, 30), (200, 60), (79, 40), (130, 36)])
def test_a_plan_fits_its_terminal(size: tuple[int, int]) -> None:
    fits = compute_labelling_layout(*size)
    width, height = size
    assert fits.centre_cells[0] + 3 + fits.member_grid[0] * 15 <= width
    assert fits.member_grid[1] * 7 + 1 <= fits.centre_cells[1] + 2
    assert fits.centre_cells[1] + 2 + fits.list_rows + (4 if fits.cluster_grid else 5) == height
    assert fits.member_grid[0] * fits.member_grid[1] >= 2
    if fits.cluster_grid:
        assert fits.cluster_grid[0] * 15 <= width
        assert fits.cluster_grid[1] * 8 <= fits.list_rows


def test_a_screen_of_120_by_40_shows_sixteen_thumbnails() -> None:
    assert compute_labelling_layout(120, 40).cluster_grid == (8, 2)


def test_pages_cut_nothing_off() -> None:
    shown = [set(range(*compute_page_bounds(at, 37, 16))) for at in range(37)]
    assert all(at in places for at, places in enumerate(shown))
    assert set().union(*shown) == set(range(37))

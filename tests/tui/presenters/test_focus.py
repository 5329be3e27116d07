"""The focus goes where work is left."""

from __future__ import annotations

import pytest

from tests.tui.scripted import ScriptedSession
from vaetui.engine.answers import Label, Split, Unreadable
from vaetui.tui.presenters.focus import moved, next_open, place
from vaetui.tui.presenters.layout import page, plan


def test_after_the_last_part_comes_the_next_neighbour_of_the_parent() -> None:
    session = ScriptedSession(clusters=4)
    session.said = [((1,), Split(2)), ((1, 1), Label(3))]
    tiles = session.board().tiles
    assert [tile.path for tile in tiles] == [(0,), (1,), (1, 0), (1, 1), (2,), (3,)]
    assert next_open(tiles, place(tiles, (1, 1))) == place(tiles, (2,))
    assert next_open(tiles, place(tiles, (2,)), -1) == place(tiles, (1, 0))
    assert next_open(tiles, place(tiles, (3,))) == 0


def test_where_all_are_answered_there_is_no_next() -> None:
    session = ScriptedSession(clusters=2)
    session.said = [((0,), Unreadable()), ((1,), Label(1))]
    assert next_open(session.board().tiles, 0) is None


def test_a_cluster_that_is_gone_is_looked_for_above() -> None:
    tiles = ScriptedSession(clusters=3).board().tiles
    assert place(tiles, (2, 1, 0)) == 2
    assert place(tiles, (9,)) == 0


@pytest.mark.parametrize(
    ("at", "key", "to"),
    [(0, "left", 0), (0, "right", 1), (0, "down", 8), (9, "up", 1), (3, "up", 3), (7, "down", 10), (10, "right", 10)],
)
def test_arrows_move_in_rows_and_stop_at_the_edge(at: int, key: str, to: int) -> None:
    assert moved(at, key, columns=8, count=11) == to


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 18), (100, 30), (200, 60), (79, 40), (130, 36)])
def test_a_plan_fits_its_terminal(size: tuple[int, int]) -> None:
    fits = plan(*size)
    width, height = size
    assert fits.centre[0] + 3 + fits.members[0] * 15 <= width
    assert fits.members[1] * 7 + 1 <= fits.centre[1] + 2
    assert fits.centre[1] + 2 + fits.rows + (4 if fits.gallery else 5) == height
    assert fits.members[0] * fits.members[1] >= 2
    if fits.gallery:
        assert fits.gallery[0] * 15 <= width
        assert fits.gallery[1] * 8 <= fits.rows


def test_a_screen_of_120_by_40_shows_sixteen_thumbnails() -> None:
    assert plan(120, 40).gallery == (8, 2)


def test_pages_cut_nothing_off() -> None:
    shown = [set(range(*page(at, 37, 16))) for at in range(37)]
    assert all(at in places for at, places in enumerate(shown))
    assert set().union(*shown) == set(range(37))

"""Tests of the moves of the focus."""

from __future__ import annotations

import pytest

from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.answers import ClassAnswer, Split, Unreadable
from vaetui.tui.presenters.focus_moves import find_cluster_or_ancestor, find_next_unanswered, move_index


def test_cluster_after_the_last_part_is_the_next_neighbour_of_the_parent() -> None:
    session = ScriptedSession(clusters=4)
    session.answer_log = [((1,), Split(2)), ((1, 1), ClassAnswer(3))]
    clusters = session.round_view().clusters
    assert [cluster.path for cluster in clusters] == [(0,), (1,), (1, 0), (1, 1), (2,), (3,)]
    assert find_next_unanswered(clusters, find_cluster_or_ancestor(clusters, (1, 1))) == find_cluster_or_ancestor(
        clusters, (2,)
    )
    assert find_next_unanswered(clusters, find_cluster_or_ancestor(clusters, (2,)), -1) == find_cluster_or_ancestor(
        clusters, (1, 0)
    )
    assert find_next_unanswered(clusters, find_cluster_or_ancestor(clusters, (3,))) == 0


def test_no_unanswered_cluster_is_found_when_all_have_answers() -> None:
    session = ScriptedSession(clusters=2)
    session.answer_log = [((0,), Unreadable()), ((1,), ClassAnswer(1))]
    assert find_next_unanswered(session.round_view().clusters, 0) is None


def test_missing_path_falls_back_to_its_ancestor_or_the_first_cluster() -> None:
    clusters = ScriptedSession(clusters=3).round_view().clusters
    assert find_cluster_or_ancestor(clusters, (2, 1, 0)) == 2
    assert find_cluster_or_ancestor(clusters, (9,)) == 0


@pytest.mark.parametrize(
    ("index", "key", "target"),
    [(0, "left", 0), (0, "right", 1), (0, "down", 8), (9, "up", 1), (3, "up", 3), (7, "down", 10), (10, "right", 10)],
)
def test_arrow_keys_move_in_the_grid_and_stop_at_its_edges(index: int, key: str, target: int) -> None:
    assert move_index(index, key, 11, columns=8) == target

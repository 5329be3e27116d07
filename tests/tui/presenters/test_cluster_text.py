"""Test the texts about clusters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from tests.tui.scripted_session import ScriptedSession
from vaetui.engine.classes import ClassList
from vaetui.session.views import ClusterView
from vaetui.tui.presenters.cluster_text import (
    format_class_counts,
    format_class_shares,
    format_guess,
    truncate_class_name,
)


def create_cluster(class_shares: tuple[tuple[int, float], ...]) -> ClusterView:
    return replace(ScriptedSession().round_view().clusters[0], class_shares=class_shares)


@pytest.mark.parametrize(("share", "percent"), [(0.63, "63"), (0.999, "99"), (1.0, "100"), (0.57, "57")])
def test_guess_shows_name_and_share_rounded_down(share: float, percent: str) -> None:
    classes = ClassList.from_names(("cat", "owl"))
    cluster = create_cluster(((1, share), (0, 1 - share)))
    assert format_guess(cluster, classes) == f"owl · {percent} %"
    assert format_class_shares(cluster, classes).startswith(f"predicted: owl ({percent} %), cat ")


def test_guess_is_empty_without_predictions() -> None:
    assert format_guess(create_cluster(()), ClassList.from_names(("cat", "owl"))) == ""


def test_guess_cuts_a_long_name_in_the_middle_and_keeps_the_share() -> None:
    classes = ClassList.from_names(("yard sign left", "yard sign right"))
    text = format_guess(create_cluster(((1, 0.5),)), classes, 14)
    assert len(text) <= 14
    assert text.startswith("yar")
    assert text.endswith("ght · 50 %")


@pytest.mark.parametrize(
    ("max_cells", "text"),
    [(40, "cat: 5, yard sign: 1, 7: 1"), (25, "cat: 5, yard sign: 1, …"), (12, "cat: 5, …")],
)
def test_class_counts_end_after_a_whole_class_where_room_is_short(max_cells: int, text: str) -> None:
    assert format_class_counts([("cat", 5), ("yard sign", 1), ("7", 1)], max_cells) == text


def test_class_counts_cut_the_only_name_and_keep_its_number() -> None:
    assert format_class_counts([("yard sign left", 12)], 12) == "yard…eft: 12"
    assert format_class_counts([], 12) == ""


@pytest.mark.parametrize("max_cells", [8, 12, 16, 22])
def test_names_that_would_look_the_same_show_where_they_differ(max_cells: int) -> None:
    names = (
        "Hornblattkäfer der alten Welt (Weibchen)",
        "Hornblattkäfer der alten Welt (Männchen)",
        "猫の写真とても長い",
        "y",
    )
    classes = ClassList.from_names(names)
    texts = [truncate_class_name(class_id, classes, max_cells) for class_id in range(4)]
    assert len(set(texts)) == 4
    assert max(map(cell_len, texts)) <= max_cells
    assert texts[3] == "y"
    numbered = ClassList.from_names([f"{number:02} of a long series of classes" for number in range(60)])
    assert len({truncate_class_name(class_id, numbered, max_cells) for class_id in range(60)}) == 60


def test_guesses_of_names_with_the_same_ends_differ() -> None:
    classes = ClassList.from_names(("Hornblattkäfer (Weibchen)", "Hornblattkäfer (Männchen)"))
    clusters = [create_cluster(((class_id, 0.5),)) for class_id in range(2)]
    assert len({format_guess(cluster, classes, 16) for cluster in clusters}) == 2
    assert len({format_class_shares(cluster, classes, max_cells=10) for cluster in clusters}) == 2

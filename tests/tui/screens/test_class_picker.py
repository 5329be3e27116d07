"""Test how the class picker matches names; its keys are tested with the screens that open it."""

from __future__ import annotations

from vaetui.tui.screens.class_picker import find_matching_indices


def test_names_that_start_with_the_query_come_first() -> None:
    assert find_matching_indices(["wild dog", "cat", "Dogfish"], " dog ") == [2, 0]


def test_empty_query_matches_every_name_in_order() -> None:
    assert find_matching_indices(["b", "a"], "") == [0, 1]

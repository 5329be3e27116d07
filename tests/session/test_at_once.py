"""Processes that want the same thing at the same moment: one gets it, and the others are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simultaneous_processes import PROCESS_COUNT, acquire_lock, create_named, create_unnamed, run_simultaneously
from vaetui.storage import locations as sessions


@pytest.mark.parametrize("turn", range(3))
def test_one_takes_the_right_to_write_and_all_others_are_told_who_has_it(turn: int, tmp_path: Path) -> None:
    winners, told = run_simultaneously(acquire_lock, tmp_path)
    assert len(winners) == 1
    assert [sentence for sentence in told if f"process {winners[0]};" not in sentence] == []


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("turn", range(3))
def test_one_makes_a_session_of_that_name_and_all_others_are_told(turn: int, digits: Path) -> None:
    winners, told = run_simultaneously(create_named, digits)
    assert len(winners) == 1, told
    assert [sentence for sentence in told if "A session wanted is there already" not in sentence] == []
    assert [path.name for path in sessions.sessions_directory().iterdir()] == ["wanted"]


@pytest.mark.usefixtures("home")
def test_all_that_want_any_new_session_get_one_of_their_own(digits: Path) -> None:
    winners, told = run_simultaneously(create_unnamed, digits)
    assert told == []
    assert len(winners) == len(sessions.session_names()) == PROCESS_COUNT

"""Several processes create or open a session at the same moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simultaneous_processes import (
    PROCESS_COUNT,
    acquire_lock,
    create_named,
    create_unnamed,
    run_simultaneously,
)
from vaetui.storage import locations


def test_one_process_gets_the_lock_and_the_others_name_it(tmp_path: Path) -> None:
    winners, messages = run_simultaneously(acquire_lock, tmp_path)
    assert len(winners) == 1
    assert [message for message in messages if f"process {winners[0]}" not in message] == []


@pytest.mark.usefixtures("home")
def test_one_process_creates_a_named_session_and_the_others_are_refused(digits: Path) -> None:
    winners, messages = run_simultaneously(create_named, digits)
    assert len(winners) == 1, messages
    assert [message for message in messages if "wanted" not in message or "exists" not in message] == []
    assert [path.name for path in locations.sessions_directory().iterdir()] == ["wanted"]


@pytest.mark.usefixtures("home")
def test_each_process_gets_its_own_unnamed_session(digits: Path) -> None:
    winners, messages = run_simultaneously(create_unnamed, digits)
    assert messages == []
    assert len(winners) == len(locations.list_session_names()) == PROCESS_COUNT

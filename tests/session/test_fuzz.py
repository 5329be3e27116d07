"""Damaged sessions open or are refused in one sentence; `python -m tests.benchmarks.fuzz` tries thousands."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.fuzz.crew import Crew

CASES = 150


@pytest.mark.skipif(sys.platform != "linux", reason="needs inotify and /proc, which only Linux has")
def test_a_damaged_session_opens_or_is_refused_in_one_sentence(tmp_path: Path) -> None:
    crew = Crew(tmp_path, seed=1, workers=1)
    crew.prepare()
    verdicts = list(crew.run(range(CASES)))
    assert len(verdicts) == CASES
    assert [it for it in verdicts if not it.held] == []
    assert {"works", "refused"} == {it.verdict for it in verdicts}

"""Kill the real program at nine moments of one run, and compare the result with an undisturbed run.

`python -m tests.benchmarks.soak` does the same at hundreds of random moments.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.soak.kill_points import KillPoint, choose_time
from tests.soak.killed_run import KilledRun, KillStats

START_S = 1.5
"""Seconds in which no process finishes a run."""


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("home")
def test_nine_kills_lose_no_answer_and_change_no_bit(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    rng, stats = random.Random(4), KillStats()
    run = KilledRun("killed", digits, 0, rng, stats)
    for process_kind, kill_point in (
        ("plain", choose_time(rng, 0.5)),  # while the session is created
        ("plain", KillPoint(0.0, line="loading the networks")),
        ("fast checkpoints", KillPoint(0.0, file_suffix=".partial", occurrence=2)),  # while a checkpoint is written
        ("plain", KillPoint(0.002, command="split")),
        ("plain", KillPoint(0.0, line="Undid: ")),
        ("screens", choose_time(rng, START_S)),
        ("plain", KillPoint(0.0, line="Saved: cluster 4")),
        ("export", choose_time(rng, START_S)),
        ("plain", KillPoint(rng.uniform(0, 0.2), command="go")),
    ):
        assert not run.kill_at(process_kind, kill_point), (process_kind, kill_point)
    assert stats.kills == 9
    result = run.finish()
    assert run.expected.lost == []
    assert run.expected.invented == []
    assert result == KilledRun("undisturbed", digits, 0, rng, stats).finish()

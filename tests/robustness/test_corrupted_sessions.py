"""Corrupted sessions open or are refused in one sentence. The benchmark runs thousands of the same cases."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.robustness.worker_pool import WorkerPool

CASES = 150


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(sys.platform != "linux", reason="needs inotify and /proc, which only Linux has")
def test_corrupted_session_opens_or_is_refused_in_one_sentence(tmp_path: Path) -> None:
    pool = WorkerPool(tmp_path, seed=1, workers=1)
    pool.create_templates()
    verdicts = list(pool.run(range(CASES)))
    assert len(verdicts) == CASES
    assert [verdict for verdict in verdicts if not verdict.passed] == []
    assert {"works", "refused"} == {verdict.verdict for verdict in verdicts}

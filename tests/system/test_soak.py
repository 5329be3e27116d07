"""The short soak: ten kills of one whole run of the real program, and all is as if nobody had killed it.

`python -m tests.benchmarks.soak` is the long one.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.soak import moments
from tests.soak.moments import Moment
from tests.soak.ordeal import Ordeal, Tally

START = 1.5
"""Seconds that are surely not enough for an answer."""


@pytest.mark.usefixtures("home")
def test_ten_kills_lose_nothing_invent_nothing_and_change_no_bit(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    draw, tally = random.Random(4), Tally()
    killed = Ordeal("killed", digits, 0, draw, tally)
    for way, moment in (
        ("plain", moments.any_time(draw, 0.5)),  # while the session is made
        ("plain", Moment(0.0, told="loading the networks")),
        ("hasty", Moment(0.0, file=".partial", times=2)),  # while a checkpoint is written
        ("plain", Moment(0.002, typed="split")),
        ("plain", Moment(0.0, told="undo: ")),
        ("screens", moments.any_time(draw, START)),
    ):
        assert not killed.suffer(way, moment)
    killed.make_old()
    for way, moment in (
        ("plain", moments.any_time(draw, 0.5)),  # while it is upgraded
        ("plain", Moment(0.0, told="saved: 4")),
        ("export", moments.any_time(draw, START)),
        ("plain", Moment(draw.uniform(0, 0.2), typed="go")),
    ):
        assert not killed.suffer(way, moment)
    assert tally.kills == 10
    outcome = killed.finish()
    assert killed.record.lost == []
    assert killed.record.invented == []
    assert outcome == Ordeal("whole", digits, 0, draw, tally).finish()

"""A clock that jumps: the order of answers, the bits and what is shown do not hang on it."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path

import pytest

from tests.command_line import run_vaetui
from tests.fuzz.states import TINY
from tests.session.scripted_run import session_digest, create_session
from tests.soak import moments
from tests.soak.dialogue import Dialogue
from tests.soak.ordeal import KNOBS, Ordeal, Tally
from tests.soak.record import Record
from tests.soak.script import Script
from vaetui.session import lifecycle
from vaetui.storage import locations as sessions

JUMPING = """
import itertools, time
true, jumps = time.time, itertools.cycle((0.0, -3e7, 1.6e9, -2e9, 5.0, -5.0))
time.time = lambda: true() + next(jumps)
from vaetui.cli import main
main()
"""
"""The program with a clock that goes a year back, fifty years on, before 1970, and to and fro."""


@pytest.mark.usefixtures("home")
def test_a_clock_that_jumps_at_every_look_changes_no_bit_and_no_answer(
    digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    draw = random.Random(0)
    undisturbed = Ordeal("steady", digits, 0, draw, Tally()).finish()
    script = Script(Record())
    command = [sys.executable, "-c", JUMPING, "new", "jumps", "--plain", "--data", str(digits), "--seed", "0", *KNOBS]
    end = Dialogue(command, script, moments.NEVER, draw).run(sessions.sessions_directory() / "jumps")
    assert (end.status, end.complaint) == (0, "")
    script.record.compare(sessions.find_session("jumps"))
    assert script.record.lost == script.record.invented == []
    assert session_digest("jumps") == undisturbed.bits
    shown = json.loads(run_vaetui("show", "jumps", "--json").stdout)
    assert 0 <= shown["labelling_seconds"] < 3600
    assert shown["training_seconds"] > 0
    for command in (["show", "jumps"], ["sessions"], ["sessions", "--json"]):
        assert run_vaetui(*command).returncode == 0


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("moment", [0.0, -1e9, 4e9, 1e11], ids=["1970", "1938", "2096", "5138"])
def test_files_from_another_time_are_opened_all_the_same(digits: Path, moment: float) -> None:
    for name in ("old", "new"):
        session = create_session(name, digits, TINY)
        list(session.advance())
        session.close()
    for path in [session.directory, *session.directory.iterdir()]:
        os.utime(path, (moment, moment))
    assert set(sessions.session_names()) == {"old", "new"}
    session = lifecycle.resume("new")
    list(session.advance())
    assert session.round_view().leaf_count == 4
    session.close()
    assert run_vaetui("sessions").returncode == 0

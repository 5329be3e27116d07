"""Run the program with a clock that jumps: order of answers, results and status do not depend on it."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest

from tests.command_line import run_vaetui
from tests.session.scripted_run import session_digest
from tests.session_templates import SessionTemplates
from tests.soak import kill_points
from tests.soak.answer_script import AnswerScript
from tests.soak.expected_answers import ExpectedAnswers
from tests.soak.killed_run import CONFIG_OPTIONS, KilledRun, KillStats
from tests.soak.plain_driver import PlainDriver
from tests.watching import load_status
from vaetui.session import lifecycle
from vaetui.storage import locations

JUMPING_CLOCK_PROGRAM = """
import itertools, time
original_time, jumps = time.time, itertools.cycle((0.0, -3e7, 1.6e9, -2e9, 5.0, -5.0))
time.time = lambda: original_time() + next(jumps)
from vaetui.cli.main import main
main()
"""
"""The program with a clock that jumps back a year, forward fifty years, and before 1970."""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("home")
def test_jumping_clock_changes_no_bit_and_no_answer(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    rng = random.Random(0)
    undisturbed = KilledRun("undisturbed", digits, 0, rng, KillStats()).finish()
    script = AnswerScript(ExpectedAnswers())
    arguments = ["new", "jumps", "--plain", "--data", str(digits), "--seed", "0", *CONFIG_OPTIONS]
    driver = PlainDriver([sys.executable, "-c", JUMPING_CLOCK_PROGRAM, *arguments], script, kill_points.NEVER, rng)
    end = driver.run(locations.sessions_directory() / "jumps")
    assert (end.status, end.stderr) == (0, "")
    script.expected.compare(locations.find_session("jumps"))
    assert script.expected.lost == script.expected.invented == []
    assert session_digest("jumps") == undisturbed.digest
    status = load_status("jumps")
    assert 0 <= status["labelling_seconds"] < 3600
    assert status["training_seconds"] > 0
    for command in (["show", "jumps"], ["sessions"], ["sessions", "--json"]):
        assert run_vaetui(*command).returncode == 0


@pytest.mark.usefixtures("home")
def test_files_with_any_modification_time_can_be_opened(templates: SessionTemplates) -> None:
    templates.copy("labelling", "old")
    directory = templates.copy("labelling", "new")
    for moment in (0.0, -1e9, 4e9, 1e11):  # 1970, 1938, 2096, 5138
        for path in [directory, *directory.iterdir()]:
            os.utime(path, (moment, moment))
        assert set(locations.list_session_names()) == {"old", "new"}
        session = lifecycle.resume("new")
        list(session.advance())
        assert session.round_view().leaf_count == 5
        session.close()
        assert run_vaetui("sessions").returncode == 0

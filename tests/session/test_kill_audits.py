"""An audit that is killed again and again loses no key and ends with the same result."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.session import audited_run
from tests.session.audited_run import require_view, run_audit
from tests.session.conftest import RunTemplates
from tests.session.scripted_run import PROPAGATION_CONFIG
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle
from vaetui.session.verification import verify_session

ROOT = Path(audited_run.__file__).parents[2]
MAX_STARTS = 40
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800), pytest.mark.usefixtures("home")]


def start_run(name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.session.audited_run", name],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_an_audit_that_is_killed_loses_no_key_and_ends_with_the_same_result(runs: RunTemplates) -> None:
    with closing(runs.open("whole", PROPAGATION_CONFIG, 2)) as session:
        whole_keys = list(run_audit(session))[-1]
        whole_result = require_view(session).result
    assert whole_result is not None
    runs.copy("killed", PROPAGATION_CONFIG, 2)
    draw, keys, kills = random.Random(0), 0, 0
    for _ in range(MAX_STARTS):
        process = start_run("killed")
        assert process.stdout is not None
        last_line, lines = draw.randint(1, 30), []
        for line in process.stdout:
            lines.append(line.strip())
            if len(lines) == last_line and lines[-1] != "done":
                process.send_signal(signal.SIGKILL)
        process.wait()
        numbers = [int(line) for line in lines if line != "done"]
        if numbers:
            assert numbers[0] in (keys, keys + 1, keys + 2), "a key that was on disk is lost"
            keys = numbers[-1]
        if lines and lines[-1] == "done":
            break
        kills += 1
        assert drain_events(verify_session("killed", repair=False)) == []
    assert kills >= 3
    with closing(lifecycle.resume("killed")) as session:
        result = require_view(session).result
    assert result is not None
    assert replace(result, date="", keys=0) == replace(whole_result, date="", keys=0)
    assert whole_keys <= result.keys <= whole_keys + kills

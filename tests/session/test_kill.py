"""A session that is killed with SIGKILL continues to the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.session import scripted_run
from tests.session.conftest import RunTemplates
from tests.session.scripted_run import create_session, list_answers, session_digest

ROOT = Path(scripted_run.__file__).parents[2]
TIMEOUT_S = 280


def start_run(name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.session.scripted_run", name],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "kill_steps",
    [
        ["BatchesTrained"],
        ["Saved"],
        ["EpochEnded"],
        ["Clustered"],
        ["split 0"],
        ["answer (0, 1)", "answer (3,)"],
        ["finish round", "BatchesTrained", "Reconstructed"],
    ],
    ids=", ".join,
)
@pytest.mark.usefixtures("home")
def test_killed_run_ends_in_the_same_bits(kill_steps: list[str], digits: Path, runs: RunTemplates) -> None:
    create_session("killed", digits).close()
    printed_steps: list[str] = []
    for kill_step in kill_steps:
        process = start_run("killed")
        assert process.stdout is not None
        for line in process.stdout:
            printed_steps.append(line.strip())
            if printed_steps[-1] == kill_step:
                # The step is printed just before or after it is done, so the kill interrupts it.
                process.send_signal(signal.SIGKILL)
                break
        process.communicate()
        assert process.returncode == -signal.SIGKILL, printed_steps
    process = start_run("killed")
    output, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0
    assert output.splitlines()[-1] == "done"
    assert (session_digest("killed"), list_answers("killed")) == runs.result()

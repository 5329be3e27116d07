"""A session that is killed with SIGKILL goes on as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.session import scripted_run
from tests.session.scripted_run import session_digest, create_session, run_to_end, list_answers

ROOT = Path(scripted_run.__file__).parents[2]


@pytest.fixture(scope="module")
def undisturbed(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[object]]:
    """The bits and answers of a run that nobody killed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAETUI_HOME", str(tmp_path_factory.mktemp("undisturbed")))
        session = create_session("whole", digits)
        list(run_to_end(session))
        session.close()
        return session_digest("whole"), list(list_answers("whole"))


def start(name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.session.scripted_run", name],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.parametrize(
    "moments",
    [
        ["Stepped"],
        ["Saved"],
        ["EpochEnded"],
        ["Clustered"],
        ["split 0"],
        ["answer (0, 1)", "answer (3,)"],
        ["go on", "Stepped", "Reconstructed"],
    ],
    ids=", ".join,
)
@pytest.mark.usefixtures("home")
def test_killed_at_any_moment_it_ends_in_the_same_bits(
    moments: list[str], digits: Path, undisturbed: tuple[str, list[object]]
) -> None:
    create_session("killed", digits).close()
    heard: list[str] = []
    for moment in moments:
        process = start("killed")
        assert process.stdout is not None
        for line in process.stdout:
            heard.append(line.strip())
            if heard[-1] == moment:
                # The line is printed just before or after the act, so the kill falls into the midst of it.
                process.send_signal(signal.SIGKILL)
                break
        process.communicate()
        assert process.returncode == -signal.SIGKILL, heard
    process = start("killed")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert output.splitlines()[-1] == "done"
    assert list_answers("killed") == undisturbed[1]
    assert session_digest("killed") == undisturbed[0]

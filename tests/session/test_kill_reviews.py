"""A session that is killed between answers about images and the end of the next epoch continues to the same bits."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.session import reviewed_run
from tests.session.conftest import RunTemplates
from tests.session.reviewed_run import PAGE_IMAGES, describe_result, run_to_end
from tests.session.scripted_run import PROPAGATION_CONFIG, SMALL_CONFIG, create_session
from vaetui.engine.config import Config
from vaetui.runtime.session_runner import drain_events
from vaetui.session import lifecycle, trainer
from vaetui.session.verification import verify_session
from vaetui.storage import locations
from vaetui.storage.repository import SessionRepository

ROOT = Path(reviewed_run.__file__).parents[2]
TIMEOUT_S = 280
KILLS = 12
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800), pytest.mark.usefixtures("home")]


def start_run(mode: str, name: str, last_step: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.session.reviewed_run", mode, name, last_step],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.parametrize("config", [SMALL_CONFIG, PROPAGATION_CONFIG], ids=lambda config: config.recipe)
def test_run_with_reviews_that_is_killed_ends_in_the_same_bits(
    config: Config, digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "CHECKPOINT_INTERVAL_S", 0.0)
    session = create_session("whole", digits, config)
    assert "page 1 of round 2" in list(run_to_end(session))
    session.close()
    create_session("killed", digits, config).close()
    for step in ("page 1 of round 1", "border of round 1", "finish round", "BatchesTrained", "EpochEnded", "Clustered"):
        process = start_run("run", "killed", step)
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == step:
                process.send_signal(signal.SIGKILL)
                break
        process.communicate()
        assert process.returncode == -signal.SIGKILL, step
    process = start_run("run", "killed")
    output, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0
    assert output.splitlines()[-1] == "done"
    assert describe_result("killed") == describe_result("whole")


def test_every_page_that_was_recorded_before_a_kill_is_there_and_none_by_half(runs: RunTemplates) -> None:
    runs.copy("pages")
    draw, count = random.Random(0), 0
    for _ in range(KILLS):
        process = start_run("pages", "pages")
        assert process.stdout is not None
        last_line = draw.randint(1, 12)
        for number, line in enumerate(process.stdout, 1):
            count = int(line)
            if number == last_line:
                process.send_signal(signal.SIGKILL)
                break
        later_lines = process.communicate()[0].split()
        count = int(later_lines[-1]) if later_lines else count
        assert process.returncode == -signal.SIGKILL
        lifecycle.resume("pages").close()  # settles what the kill left between journal and database
        assert drain_events(verify_session("pages", repair=False)) == []
        repository = SessionRepository(locations.find_session("pages"))
        pages: dict[int, int] = {}
        for record in repository.list_actions(1):
            pages[record.step_id] = pages.get(record.step_id, 0) + 1
        repository.close()
        assert set(pages.values()) == {PAGE_IMAGES}
        assert count - 1 <= len(pages) <= count + 1, "the kill came during one more page, or before it was taken back"
        count = len(pages)

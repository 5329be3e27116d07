"""Tests of what is said about processes on this machine that have ended, with real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vaetui.runtime import local_ranks
from vaetui.runtime.local_ranks import LocalRanks
from vaetui.runtime.rank_environment import LOST_RANK_TEXT, RESTART_ADVICE
from vaetui.storage import training_run

LOST_MESSAGE = f"Rank 0 on node {LOST_RANK_TEXT} The last checkpoint of shared is saved. {RESTART_ADVICE}"
REPORT = f"import sys; sys.stderr.write('vaetui: {LOST_MESSAGE}\\n'); sys.exit(1)"
CONTINUE = "Continue with: vaetui resume shared --ranks 2"


def replace_programs(monkeypatch: pytest.MonkeyPatch, programs: tuple[str, str]) -> list[subprocess.Popen[bytes]]:
    """Start these programs in place of the processes that train; return a list of those that were started."""
    start, processes = subprocess.Popen, []

    def start_program(command: list[str], env: dict[str, str], **options: Any) -> subprocess.Popen[bytes]:
        processes.append(start([sys.executable, "-c", programs[int(env["RANK"])]], env=env, **options))
        return processes[-1]

    monkeypatch.setattr(subprocess, "Popen", start_program)
    return processes


@pytest.mark.parametrize(
    ("programs", "message"),
    [
        (
            ("import os; os.kill(os.getpid(), 9)", REPORT),
            "Process 1 of 2 was ended by SIGKILL; the last checkpoint is saved.",
        ),
        ((REPORT, "raise MemoryError"), "Process 2 of 2 failed: MemoryError; the last checkpoint is saved."),
        (
            (REPORT, "import sys; sys.stderr.write('vaetui: The disk is full. Free space.\\n'); sys.exit(2)"),
            "The disk is full. Free space.",
        ),
        ((REPORT, REPORT), LOST_MESSAGE.removesuffix(f" {RESTART_ADVICE}")),
        (("pass", "pass"), "The processes that trained shared have ended; everything is saved."),
    ],
)
def test_end_of_the_processes_is_explained_by_the_one_that_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, programs: tuple[str, str], message: str
) -> None:
    replace_programs(monkeypatch, programs)
    ranks = LocalRanks(tmp_path / "shared", 2)
    for process in ranks._processes:
        process.wait()
    assert ranks.describe_end() == f"{message} {CONTINUE}"
    ranks.stop()


def test_interrupted_start_in_the_background_leaves_no_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    processes = replace_programs(monkeypatch, ("import time; time.sleep(1000)",) * 2)

    def interrupt(directory: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training_run, "read_training_run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        local_ranks.train_detached(tmp_path / "shared", 2)
    assert [process.poll() for process in processes] == [-signal.SIGTERM] * 2

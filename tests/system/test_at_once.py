"""Several processes at once: one writes, the others are told who, and readers read on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.command_line import VAETUI, run_vaetui
from tests.session.scripted_run import create_session
from vaetui.engine.answers import ClassAnswer
from vaetui.storage import file_names

pytestmark = pytest.mark.usefixtures("home")
STARTERS = 20


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the program on pipes; it waits for answers for as long as its input is open."""
    return subprocess.Popen(
        [*VAETUI, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def all_but_one_end(running: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """Wait until a single process is left, and give it."""
    end = time.monotonic() + 100
    while len(left := [process for process in running if process.poll() is None]) > 1:
        assert time.monotonic() < end, len(left)
        time.sleep(0.05)
    assert left, [process.communicate()[1] for process in running]
    return left[0]


def test_of_twenty_starters_one_wins_and_the_others_are_told_who(digits: Path) -> None:
    create_session("wanted", digits).close()
    running = [start("resume", "wanted", "--plain") for _ in range(STARTERS)]
    winner = all_but_one_end(running)
    for loser in running:
        if loser is not winner:
            _, complaint = loser.communicate()
            assert loser.returncode == 2, complaint
            assert re.fullmatch(rf"vaetui: .* in use by .* process {winner.pid}; .*\n", complaint), complaint
    told, complaint = winner.communicate(timeout=100)
    assert (winner.returncode, complaint) == (0, "")
    assert "Everything is saved" in told


@contextmanager
def training(name: str) -> Iterator[subprocess.Popen[str]]:
    """Let a process train that session for as long as this lasts."""
    process = start("resume", name, "--plain")
    assert process.stdout is not None
    try:
        while "loading the networks" not in (line := process.stdout.readline()):
            assert line, process.communicate()
        yield process
    finally:
        process.kill()
        process.communicate()


def test_while_one_trains_readers_read_and_writers_are_told_who(digits: Path, tmp_path: Path) -> None:
    session = create_session("busy", digits)
    list(session.advance())
    session.answer((0,), ClassAnswer(1))
    session.close()
    with training("busy") as process:
        for command in (
            ["resume", "busy", "--plain"],
            ["delete", "busy", "--yes"],
            ["export", "busy", "-o", str(tmp_path / "labels.csv")],
        ):
            ran = run_vaetui(*command)
            assert ran.returncode in (0, 2) if command[0] == "export" else ran.returncode == 2, (command, ran)
            if ran.returncode:
                assert f"process {process.pid}" in ran.stderr, (command, ran.stderr)
        assert json.loads(run_vaetui("show", "busy", "--json").stdout)["answers"] == 1
        assert "busy" in run_vaetui("sessions").stdout
        before = file_names.database_path(session.directory).read_bytes()
        if "check" in run_vaetui("--help").stdout:
            for command in (["check", "busy"], ["check", "busy", "--repair"]):
                ran = run_vaetui(*command)
                assert "Traceback" not in ran.stderr
                assert "bug" not in ran.stderr
            assert ran.returncode == 2, "a repair while another process writes"
        assert file_names.database_path(session.directory).read_bytes() == before
        assert process.poll() is None

"""Start several processes on one session: one of them writes, the others are refused, and readers work."""

from __future__ import annotations

import os
import re
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.command_line import VAETUI, run_vaetui
from tests.session_templates import SessionTemplates
from tests.watching import load_status
from vaetui.storage import file_names

pytestmark = pytest.mark.usefixtures("home")
PROCESS_COUNT = 20
TIMEOUT_S = 240


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the program on pipes; it waits for commands as long as its input is open."""
    return subprocess.Popen(
        [*VAETUI, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def wait_for_survivor(processes: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """Wait until all processes but one have ended, and return this one."""
    poller = select.poll()
    running = {os.pidfd_open(process.pid): process for process in processes}
    for pidfd in running:
        poller.register(pidfd, select.POLLIN)
    while len(running) > 1:
        ended = poller.poll(1000 * TIMEOUT_S)
        assert ended, f"{len(running)} processes still run"
        for pidfd, _ in ended:
            poller.unregister(pidfd)
            os.close(pidfd)
            del running[pidfd]
    assert running, [process.communicate()[1] for process in processes]
    (pidfd, survivor), *_ = running.items()
    os.close(pidfd)
    return survivor


@pytest.mark.slow
def test_one_of_twenty_processes_opens_the_session_and_the_others_name_it(templates: SessionTemplates) -> None:
    templates.copy("training", "demo")
    processes = [start("resume", "demo", "--plain") for _ in range(PROCESS_COUNT)]
    winner = wait_for_survivor(processes)
    for process in processes:
        if process is not winner:
            _, stderr = process.communicate(timeout=TIMEOUT_S)
            assert process.returncode == 2, stderr
            assert re.fullmatch(rf"vaetui: [^\n]*process {winner.pid}\b[^\n]*\n", stderr), stderr
    stdout, stderr = winner.communicate(timeout=TIMEOUT_S)
    assert (winner.returncode, stderr) == (0, "")
    assert "Everything is saved" in stdout


@contextmanager
def train_in_background(name: str) -> Iterator[subprocess.Popen[str]]:
    """Train a session in another process inside the with block."""
    process = start("resume", name, "--plain")
    assert process.stdout is not None
    try:
        while "loading the networks" not in (line := process.stdout.readline()):
            assert line, process.communicate()
        yield process
    finally:
        process.kill()
        process.communicate()


def test_readers_work_and_writers_are_refused_while_another_process_trains(
    templates: SessionTemplates, tmp_path: Path
) -> None:
    directory = templates.copy("labelling", "demo")
    with train_in_background("demo") as trainer:
        for arguments in (
            ["resume", "demo", "--plain"],
            ["delete", "demo", "--yes"],
            ["export", "demo", "-o", str(tmp_path / "labels.csv")],
        ):
            process = run_vaetui(*arguments)
            if arguments[0] == "export":
                assert process.returncode in (0, 2), (arguments, process)
            else:
                assert process.returncode == 2, (arguments, process)
            if process.returncode:
                assert f"process {trainer.pid}" in process.stderr, (arguments, process.stderr)
        assert load_status("demo")["answers"] == 1
        assert "demo" in run_vaetui("sessions").stdout
        database = file_names.database_path(directory).read_bytes()
        for arguments in (["check", "demo"], ["check", "demo", "--repair"]):
            process = run_vaetui(*arguments)
            assert "Traceback" not in process.stderr
            assert "bug" not in process.stderr
        assert process.returncode == 2, "a repair is refused while another process writes"
        assert file_names.database_path(directory).read_bytes() == database
        assert trainer.poll() is None

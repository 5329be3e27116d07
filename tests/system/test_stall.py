"""A terminal that nobody reads: training goes on, the screen catches up, and a signal still ends the program."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import run_vaetui
from tests.terminal import ScriptedTerminal
from vaetui.storage import locations
from vaetui.storage.repository import SessionRepository

pytestmark = pytest.mark.usefixtures("home")

STALL = 12.0
"""Seconds that nobody reads: three times what stopped training by Textual's own queue."""


def state(name: str) -> dict[str, object]:
    return dict(json.loads(run_vaetui("show", name, "--json").stdout))


def epoch(name: str) -> int:
    return int(str(state(name)["epoch"]))


def slowest_step(name: str) -> float:
    """Give the seconds of the slowest stretch between two events, in which training hears of nothing."""
    facts = SessionRepository(locations.find_session(name))
    figures = facts.list_losses()
    facts.close()
    return max(seconds for *_, seconds in figures)


def shown(terminal: ScriptedTerminal) -> int:
    """Read from the header which epoch is trained."""
    found = re.search(r"epoch +(\d+) of", terminal.text())
    return int(found[1]) if found else 0


@pytest.fixture
def training(digits: Path) -> Iterator[ScriptedTerminal]:
    """The program in training for as long as it takes, with many pictures and curves on a large screen."""
    knobs = ["--recipe", "paper", "--warmup-epochs", "500", "--pictures", "half"]  # many short epochs
    arguments = ["-m", "vaetui", "new", "stalled", "--data", str(digits), *knobs]
    terminal = ScriptedTerminal(arguments, (160, 50))
    terminal.until_text("img/s")
    yield terminal
    terminal.close(limit=0)


def wait_until_stalled(terminal: ScriptedTerminal) -> None:
    """Read nothing until the program is sure to have more to say than the kernel keeps for it."""
    end = time.monotonic() + STALL
    while time.monotonic() < end:
        time.sleep(0.1)  # what is waited for is that nothing happens to the training


def test_training_goes_on_while_nobody_reads_and_the_screen_catches_up(training: ScriptedTerminal) -> None:
    before = epoch("stalled")
    wait_until_stalled(training)
    between = epoch("stalled")
    wait_until_stalled(training)
    after = epoch("stalled")
    assert between > before
    assert after > between
    read = training.received
    now = epoch("stalled")
    training.until(lambda: shown(training) >= now, limit=5)
    print(f"\n{after - before} epochs in {2 * STALL:.0f} s unread, {training.received - read:,} bytes to catch up")
    training.type(b" ")
    training.until_text("paused")
    training.type(b"q")
    assert training.close() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_within_a_second_while_nobody_reads(
    training: ScriptedTerminal, number: signal.Signals
) -> None:
    wait_until_stalled(training)
    begun = time.monotonic()
    os.kill(training.child, number)
    while os.waitid(os.P_PID, training.child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        assert time.monotonic() - begun < 10
        time.sleep(0.005)
    seconds = time.monotonic() - begun
    training.until_quiet()
    assert b"\x1b[?1049l" in training.output, "the shell behind it is to be seen again"
    assert training.close() == 128 + number
    step = slowest_step("stalled")
    print(f"\nleft {seconds:.2f} s after {number.name}, while a step took {step:.2f} s")
    assert seconds < 1.0 + 2 * step  # what is being computed ends first, and then it is saved
    assert run_vaetui("export", "stalled", "-o", "/dev/null").returncode in (0, 2)
    assert "locked" not in run_vaetui("delete", "stalled", "--yes").stderr

"""Do not read the terminal: training continues, the screen catches up, and a signal ends the program."""

from __future__ import annotations

import array
import fcntl
import os
import re
import signal
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import run_vaetui
from tests.idx import write_small_mnist
from tests.terminal import ScriptedTerminal
from tests.watching import has_exited, load_status, wait_until
from vaetui.storage import locations
from vaetui.storage.repository import SessionRepository

pytestmark = [pytest.mark.usefixtures("home"), pytest.mark.slow, pytest.mark.timeout(900)]

STALLED_EPOCHS = 60
"""Epochs to train while the terminal is stalled; each one paints, and Textual's own queue blocks after 30 texts."""
TIMEOUT_S = 240.0
MAX_EXIT_S = 30.0
"""Seconds to exit after a signal; about one on an idle machine, and never while a blocked write lasts."""


def load_epoch(name: str) -> int:
    return int(load_status(name)["epoch"])


def measure_slowest_step(name: str) -> float:
    """Return the seconds of the longest training step, in which training cannot react to a signal."""
    repository = SessionRepository(locations.find_session(name))
    losses = repository.list_losses()
    repository.close()
    return max(seconds for *_, seconds in losses)


def shown_epoch(terminal: ScriptedTerminal) -> int:
    """Return the epoch in the header, or 0."""
    match = re.search(r"epoch +(\d+) of", terminal.text())
    return int(match[1]) if match else 0


def count_unread_bytes(terminal: ScriptedTerminal) -> int:
    """Return the number of bytes in the kernel buffer of the pty."""
    count = array.array("i", [0])
    fcntl.ioctl(terminal._fd, termios.FIONREAD, count)
    return count[0]


@pytest.fixture
def training(tmp_path: Path) -> Iterator[ScriptedTerminal]:
    """The program in training, with many short epochs and a large screen."""
    data = write_small_mnist(tmp_path / "digits", train=128, test=40)
    options = ["--recipe", "paper", "--warmup-epochs", "2000", "--clusters", "4", "--pictures", "half"]
    arguments = ["-m", "vaetui", "new", "stalled", "--data", str(data), *options]
    terminal = ScriptedTerminal(arguments, (160, 50))
    terminal.wait_for_text("img/s")
    yield terminal
    terminal.close(timeout_s=0)


def wait_for_epoch(epoch: int) -> None:
    """Wait until an epoch is stored; more frequent polling would compete with the training."""
    deadline = time.monotonic() + TIMEOUT_S
    while load_epoch("stalled") < epoch:
        assert time.monotonic() < deadline, f"epoch {epoch} was not reached"
        time.sleep(0.25)


def stall(terminal: ScriptedTerminal) -> int:
    """Read nothing for STALLED_EPOCHS after the kernel buffer is full, and return the epoch reached."""
    wait_for_epoch(load_epoch("stalled") + STALLED_EPOCHS)
    unread_bytes = count_unread_bytes(terminal)
    wait_for_epoch(load_epoch("stalled") + STALLED_EPOCHS)
    assert count_unread_bytes(terminal) == unread_bytes, "the kernel buffer is full"
    return load_epoch("stalled")


def test_training_continues_while_the_terminal_stalls_and_the_screen_catches_up(training: ScriptedTerminal) -> None:
    received_bytes = training.received_bytes
    epoch = stall(training)
    training.wait_until(lambda: shown_epoch(training) >= epoch)
    print(f"\n{2 * STALLED_EPOCHS} epochs unread, {training.received_bytes - received_bytes:,} bytes to catch up")
    training.send(b" ")
    training.wait_for_text("paused")
    training.send(b"q")
    assert training.close() == 0


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_the_program_while_the_terminal_stalls(
    training: ScriptedTerminal, signal_number: signal.Signals
) -> None:
    stall(training)
    started_s = time.monotonic()
    os.kill(training.pid, signal_number)
    wait_until(lambda: has_exited(training.pid), MAX_EXIT_S)
    seconds = time.monotonic() - started_s
    training.wait_until_quiet()
    assert b"\x1b[?1049l" in training.output, "the program leaves the alternate screen"
    assert training.close() == 128 + signal_number
    print(f"\nleft {seconds:.2f} s after {signal_number.name}; slowest step {measure_slowest_step('stalled'):.2f} s")
    assert run_vaetui("export", "stalled", "-o", "/dev/null").returncode in (0, 2)
    assert "locked" not in run_vaetui("delete", "stalled", "--yes").stderr

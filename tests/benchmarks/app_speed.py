"""Measure the app in a real pseudo-terminal: its first frame, its keys while it trains, its memory."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.terminal import ScriptedTerminal
from vaetui.engine.config import BATCHES_PER_REPORT
from vaetui.storage import locations
from vaetui.storage.repository import SessionRepository

VAETUI = ["-m", "vaetui"]
EMPTY_APP = [
    "-c",
    "from textual.app import App\nfrom textual.widgets import Static\n"
    "class Empty(App):\n    def compose(self): yield Static('here')\n"
    "Empty().run()",
]
HEADLESS_TRAINING = """
import sys
from vaetui.engine.config import Config
from vaetui.engine.events import Saved
from vaetui.session.lifecycle import create
session = create(sys.argv[1], "mnist", Config())
events = session.advance()
for event in events:
    if isinstance(event, Saved):
        break
events.close()
session.close()
"""
TURNS, APP_TURNS, PRESSES = 7, 4, 25


def measure_first_frame() -> tuple[float, str]:
    """Return the time to the first frame of `vaetui new` relative to an empty app, as the median of turns."""
    vaetui_seconds: list[float] = []
    empty_seconds: list[float] = []
    for turn in range(TURNS + 1):
        for command, text, seconds in (
            (EMPTY_APP, "here", empty_seconds),
            ([*VAETUI, "new", f"first-{turn}"], f"first-{turn}", vaetui_seconds),
        ):
            start = time.monotonic()
            terminal = ScriptedTerminal(command)
            seconds.append(terminal.wait_for_text(text) - start)
            terminal.close(0)
    ratios = [vaetui / empty for vaetui, empty in zip(vaetui_seconds[1:], empty_seconds[1:], strict=True)]
    medians = statistics.median(vaetui_seconds[1:]), statistics.median(empty_seconds[1:])
    return statistics.median(ratios), f"{medians[0]:.2f} s beside {medians[1]:.2f} s, {TURNS} turns"


def measure_help() -> tuple[float, str]:
    """Return the seconds that `vaetui --help` takes beyond an interpreter that does nothing."""
    differences = []
    for _ in range(TURNS + 1):
        seconds = []
        for arguments in ([*VAETUI, "--help"], ["-c", "pass"]):
            start = time.monotonic()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            seconds.append(time.monotonic() - start)
        differences.append(seconds[0] - seconds[1])
    return statistics.median(differences[1:]), f"{TURNS} turns"


def compare_app_with_headless() -> tuple[float, str]:
    """Return the training rate in the app relative to headless training, as the median of turns."""
    ratios, rates = [], []
    for turn in range(APP_TURNS):
        subprocess.run([sys.executable, "-c", HEADLESS_TRAINING, f"headless-{turn}"], check=True)
        terminal = ScriptedTerminal([*VAETUI, "new", f"app-{turn}"])
        terminal.wait_for_text("saved")
        _leave(terminal)
        headless, app = (_read_seconds_per_batch(f"{kind}-{turn}") for kind in ("headless", "app"))
        ratios.append(headless / app)
        rates.append(64 / app)
    bounds = f"{APP_TURNS} turns from {min(ratios):.2f} to {max(ratios):.2f}"
    return statistics.median(ratios), f"median {statistics.median(rates):,.0f} images/s, {bounds}"


def _read_seconds_per_batch(name: str) -> float:
    """Return the median time of a recorded batch of a session, without the first ones."""
    repository = SessionRepository(locations.find_session(name))
    losses = repository.list_losses()[5:]
    repository.close()
    return statistics.median(seconds / BATCHES_PER_REPORT for *_, seconds in losses)


def measure_key_to_paint() -> tuple[list[float], list[float]]:
    """Return the seconds from a key to its effect on the screen, while training runs.

    The first list is of the key that pauses, to the line that says so; the second of the key that opens the help, to
    the new screen.
    """
    pause_seconds: list[float] = []
    help_seconds: list[float] = []
    terminal = ScriptedTerminal([*VAETUI, "new", "keys"])
    terminal.wait_for_text("img/s")
    for _ in range(PRESSES):
        for key, first_text, final_text, seconds in (
            (b" ", "pausing", "paused", pause_seconds),
            (b"?", "esc back", "esc back", help_seconds),
        ):
            start = time.monotonic()
            terminal.send(key)
            seconds.append(terminal.wait_for_text(first_text) - start)
            terminal.wait_for_text(final_text)
            terminal.wait_until_quiet(0.15)
            terminal.send(key)
            terminal.wait_until(lambda text=final_text: text not in terminal.text())
            terminal.wait_until_quiet(0.15)
    _leave(terminal)
    return pause_seconds, help_seconds


def measure_peak_memory() -> tuple[float, str]:
    """Return the peak memory of the app on MNIST, through an epoch, a clustering and a split, in MB."""
    terminal = ScriptedTerminal([*VAETUI, "new", "memory"])
    terminal.wait_for_text("class?", timeout_s=300)
    terminal.wait_until_quiet(1)
    terminal.send(b"s")
    terminal.wait_for_text("parts")
    terminal.send(b"\r")
    terminal.wait_for_text("0.0")
    peak = terminal.peak_memory()
    _leave(terminal)
    return peak, "one epoch, one clustering, one split"


def _leave(terminal: ScriptedTerminal) -> None:
    terminal.send(b"q")
    status = terminal.close()
    if status:
        raise RuntimeError(f"the program ended with status {status}:\n{terminal.text()}")

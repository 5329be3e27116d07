"""How the app feels: its first frame, its keys while it trains, its memory; in a real pseudo-terminal."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.terminal import ScriptedTerminal
from vaetui.engine.training import BATCHES_PER_REPORT
from vaetui.storage import locations
from vaetui.storage.repository import SessionRepository

VAETUI = ["-m", "vaetui"]
EMPTY = [
    "-c",
    "from textual.app import App\nfrom textual.widgets import Static\n"
    "class Empty(App):\n    def compose(self): yield Static('here')\n"
    "Empty().run()",
]
HEADLESS = """
import sys
from vaetui.engine.config import Config
from vaetui.engine.events import Saved
from vaetui.session.creation import create
session = create(sys.argv[1], "mnist", Config())
going = session.advance()
for event in going:
    if isinstance(event, Saved):
        break
going.close()
session.close()
"""
TURNS, APP_TURNS = 7, 4


def first_frame() -> tuple[float, str]:
    """Give the time to the first frame of `vaetui new` as a multiple of an empty app's, in the median of turns."""
    ours, empty = [], []
    for turn in range(TURNS + 1):
        for command, marker, times in (
            (EMPTY, "here", empty),
            ([*VAETUI, "new", f"first-{turn}"], f"first-{turn}", ours),
        ):
            begun = time.monotonic()
            terminal = ScriptedTerminal(command)
            times.append(terminal.wait_for_text(marker) - begun)
            terminal.close(timeout_s=0)
    pairs = [one / other for one, other in zip(ours[1:], empty[1:], strict=True)]
    detail = f"{statistics.median(ours[1:]):.2f} s beside {statistics.median(empty[1:]):.2f} s, {TURNS} turns"
    return statistics.median(pairs), detail


def help_beyond_pass() -> tuple[float, str]:
    """Give the seconds that `vaetui --help` takes beyond an interpreter that does nothing."""
    beyond = []
    for _ in range(TURNS + 1):
        times = []
        for arguments in ([*VAETUI, "--help"], ["-c", "pass"]):
            begun = time.monotonic()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            times.append(time.monotonic() - begun)
        beyond.append(times[0] - times[1])
    return statistics.median(beyond[1:]), f"{TURNS} turns"


def app_against_headless() -> tuple[float, str]:
    """Give the training rate inside the app as a share of the headless one, in the median of turns."""
    shares, rates = [], []
    for turn in range(APP_TURNS):
        subprocess.run([sys.executable, "-c", HEADLESS, f"headless-{turn}"], check=True)
        terminal = ScriptedTerminal([*VAETUI, "new", f"app-{turn}"])
        terminal.wait_for_text("saved", timeout_s=120)
        _leave(terminal)
        headless, app = (_seconds_a_batch(f"{kind}-{turn}") for kind in ("headless", "app"))
        shares.append(headless / app)
        rates.append(64 / app)
    spread = f"{APP_TURNS} turns from {min(shares):.2f} to {max(shares):.2f}"
    return statistics.median(shares), f"median {statistics.median(rates):,.0f} images/s, {spread}"


def _seconds_a_batch(name: str) -> float:
    """Give the median time of a batch that a session has recorded, the first ones aside."""
    facts = SessionRepository(locations.find_session(name))
    figures = facts.list_losses()[5:]
    facts.close()
    return statistics.median(seconds / BATCHES_PER_REPORT for *_, seconds in figures)


def key_to_paint(presses: int = 25) -> tuple[list[float], list[float]]:
    """Give the seconds from a key to what it changes on the screen, while training runs.

    First those of the key that pauses, to the line that says so; then those of the key that opens the help, to a
    whole new screen.
    """
    small, whole = [], []
    terminal = ScriptedTerminal([*VAETUI, "new", "keys"])
    terminal.wait_for_text("img/s", timeout_s=120)
    for _ in range(presses):
        for key, seen, settled, taken in ((b" ", "pausing", "paused", small), (b"?", "esc back", "esc back", whole)):
            begun = time.monotonic()
            terminal.send(key)
            taken.append(terminal.wait_for_text(seen) - begun)
            terminal.wait_for_text(settled)
            terminal.wait_until_quiet(0.15)
            terminal.send(key)
            terminal.wait_until(lambda settled=settled: settled not in terminal.text())
            terminal.wait_until_quiet(0.15)
    _leave(terminal)
    return small, whole


def peak_memory() -> tuple[float, str]:
    """Give the peak memory of the app on MNIST, through an epoch, a clustering and a split, in MB."""
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
    status = terminal.close(timeout_s=30)
    if status:
        raise RuntimeError(f"the program ended with status {status}:\n{terminal.text()}")

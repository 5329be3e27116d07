"""How the app feels: its first frame, its keys while it trains, its memory; in a real pseudo-terminal."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.terminal import Terminal
from vaetui.store import home
from vaetui.store.facts import Facts

VAETUI = [sys.executable, "-m", "vaetui"]
EMPTY = [
    sys.executable,
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
TURNS = 5


def first_frame() -> tuple[float, str]:
    """Give the time to the first frame of `vaetui new` as a multiple of an empty app's, in the median of turns."""
    ours, empty = [], []
    for turn in range(TURNS + 1):
        for command, marker, times in (
            (EMPTY, "here", empty),
            ([*VAETUI, "new", f"first-{turn}"], "epoch 1 of 6", ours),
        ):
            with Terminal(command) as terminal:
                times.append(terminal.until(marker) - terminal.begun)
    pairs = [one / other for one, other in zip(ours[1:], empty[1:], strict=True)]
    detail = f"{statistics.median(ours[1:]):.2f} s beside {statistics.median(empty[1:]):.2f} s, {TURNS} turns"
    return statistics.median(pairs), detail


def help_beyond_pass() -> tuple[float, str]:
    """Give the seconds that `vaetui --help` takes beyond an interpreter that does nothing."""
    beyond = []
    for _ in range(TURNS + 1):
        times = []
        for command in ([*VAETUI, "--help"], [sys.executable, "-c", "pass"]):
            begun = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times.append(time.perf_counter() - begun)
        beyond.append(times[0] - times[1])
    return statistics.median(beyond[1:]), f"{TURNS} turns"


def app_against_headless() -> tuple[float, str]:
    """Give the training rate inside the app as a share of the headless one, in the median of turns."""
    shares, rates = [], []
    for turn in range(3):
        subprocess.run([sys.executable, "-c", HEADLESS, f"headless-{turn}"], check=True)
        with Terminal([*VAETUI, "new", f"app-{turn}"]) as terminal:
            terminal.until("saved", seconds=120)
            terminal.press("q")
            terminal.wait()
        headless, app = (_seconds_a_batch(f"{kind}-{turn}") for kind in ("headless", "app"))
        shares.append(headless / app)
        rates.append(64 / app)
    return statistics.median(shares), f"median {statistics.median(rates):,.0f} images/s, {len(shares)} turns"


def _seconds_a_batch(name: str) -> float:
    """Give the median time of a batch that a session has recorded, the first ones aside."""
    facts = Facts(home.find(name) / home.FACTS)
    figures = facts.figures()[5:]
    facts.close()
    return statistics.median(seconds / 8 for *_, seconds in figures)


def key_to_paint(presses: int = 60) -> list[float]:
    """Give the seconds from a key to the screen that it opens or closes, while training runs."""
    taken = []
    with Terminal([*VAETUI, "new", "keys"]) as terminal:
        terminal.until("img/s", seconds=120)
        closed = terminal.text().splitlines()[-1]
        for at in range(presses):
            begun = time.perf_counter()
            terminal.press("?")  # opens the keys, and closes them again
            terminal.until(lambda text, opens=at % 2 == 0: (text.splitlines()[-1] != closed) == opens, seconds=10)
            taken.append(time.perf_counter() - begun)
            time.sleep(0.15)  # a person's pace
        terminal.press("q")
        terminal.wait()
    return taken


def peak_memory() -> tuple[float, str]:
    """Give the peak memory of the app on MNIST, through an epoch, a clustering and a split, in MB."""
    with Terminal([*VAETUI, "new", "memory"]) as terminal:
        terminal.until("class?", seconds=300)
        terminal.press("s\r")
        terminal.until("0.0", seconds=60)
        peak = terminal.peak_memory()
        terminal.press("q")
        terminal.wait()
    return peak, "one epoch, one clustering, one split"

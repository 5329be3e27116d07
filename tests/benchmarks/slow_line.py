"""Measures a round of answers over a bad line, and writes assets/results/lines.json.

python -m tests.benchmarks.throttled          makes a session of MNIST that waits for answers, and answers it
python -m tests.benchmarks.throttled HOME     takes the session `waiting` in that home instead, and leaves it as it was

The line is a relay between the program's pseudo-terminal and the screen: 100 kbit/s down, 200 ms each way, keys and
the answers to the program's questions included. The same is measured without it, in turn.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from tests.benchmarks import results
from tests.benchmarks.slow_line import SlowTerminal

VAETUI = ["-m", "vaetui"]
SESSION = "waiting"
SIZES = ((80, 24), (120, 40))
WAYS = {"line": (12_500.0, 0.2), "direct": (math.inf, 0.0)}
"""Bytes a second and seconds each way."""
STARTS, PRESSES = 3, 20
KEYS = {
    "a move to another centre: pictures change": b"n",
    "a digit: words change": b"7",
    "Enter, an answer: pictures change": b"\r",
    "undo: pictures change": b"u",
}
FIRST, WHOLE = "the first labelling screen, from the start", "the same with the members of the centre"
CENTRE, MEMBERS = slice(1, 29), slice(31, None)
"""Columns of the pictures that tell that the screen stands, and that the members are there."""
BOUNDS = {FIRST: 12.0, WHOLE: None, **dict.fromkeys(KEYS, 0.6)}
"""Seconds that the median may take; none where it waits for PyTorch more than for the line."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One thing that was measured once."""

    what: str
    """Which."""
    way: str
    """Over the line or without it."""
    seen: float
    """Seconds until something of it was seen."""
    whole: float
    """Seconds until all of it was."""
    sent: int
    """Bytes that came."""


def prepare() -> None:
    """Train an epoch of MNIST and cluster it; the end of the input leaves."""
    command = [sys.executable, *VAETUI, "new", SESSION, "--plain"]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)


def begin(size: tuple[int, int], way: str) -> tuple[SlowTerminal, list[Sample]]:
    """Start the program and wait for its labelling screen; the members come once PyTorch is loaded."""
    begun, samples = time.monotonic(), []
    terminal = SlowTerminal([*VAETUI, "resume", SESSION], size, *WAYS[way])
    for what, columns, quiet in ((FIRST, CENTRE, 0.5), (WHOLE, MEMBERS, 1.5)):
        terminal.wait_until(lambda shown=columns: any("▀" in row[shown] for row in terminal.screen.display[2:9]), 120)
        terminal.settle(quiet)
        taken = terminal.changed - begun
        samples.append(Sample(what, way, taken, taken, terminal.arrived))
    return terminal, samples


def press(terminal: SlowTerminal, what: str, way: str) -> Sample:
    """Press a key and wait for all that the screen shows of it."""
    changed, arrived, begun = terminal.changed, terminal.arrived, time.monotonic()
    terminal.send(KEYS[what])
    terminal.wait_until(lambda: terminal.changed > changed)
    seen = terminal.changed - begun
    terminal.settle(0.3)
    return Sample(what, way, seen, terminal.changed - begun, terminal.arrived - arrived)


def measure(size: tuple[int, int]) -> list[Sample]:
    """Start the program some times, over the line and without it in turn, and type at the first start of each."""
    samples = []
    for start in range(STARTS):
        for way in WAYS:
            terminal, begun = begin(size, way)
            samples += begun
            samples += [press(terminal, what, way) for _ in range(PRESSES if start == 0 else 0) for what in KEYS]
            terminal.send(b"q")
            if status := terminal.close(timeout_s=30):
                raise RuntimeError(f"the program ended with status {status}:\n{terminal.text()}")
    return samples


def line(size: tuple[int, int], what: str, samples: list[Sample]) -> dict[str, object]:
    """Sum up what was measured of one thing."""
    throttled, direct = ([it for it in samples if (it.what, it.way) == (what, way)] for way in WAYS)
    return {
        "what": what,
        "size": f"{size[0]}x{size[1]}",
        "seen": round(statistics.median(it.seen for it in throttled), 3),
        "late": round(late([it.seen for it in throttled]), 3),
        "whole": round(statistics.median(it.whole for it in throttled), 3),
        "direct": round(statistics.median(it.seen for it in direct), 3),
        "bytes": round(statistics.median(it.sent for it in throttled)),
        "times": len(throttled),
        "bound": BOUNDS[what],
    }


def late(seconds: list[float]) -> float:
    """Give the 95th percentile, or of few the last."""
    return statistics.quantiles(seconds, n=20)[-1] if len(seconds) >= 20 else max(seconds)


def main(homes: list[str]) -> None:
    os.environ["VAETUI_HOME"] = homes[0] if homes else tempfile.mkdtemp(prefix="vaetui-line-")
    if not homes:
        prepare()
    lines = []
    for size in SIZES:
        samples = measure(size)
        lines += [line(size, what, samples) for what in BOUNDS]
        print(*lines[-len(BOUNDS) :], sep="\n")
    results.keep("lines", 0, {"lines": lines})


if __name__ == "__main__":
    main(sys.argv[1:])

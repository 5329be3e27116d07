"""Measure a round of answers over a slow line, and write assets/results/slow_line.json.

python -m tests.benchmarks.slow_line        creates a session of MNIST that waits for answers, and answers it
python -m tests.benchmarks.slow_line HOME   uses the session `waiting` in this home instead, and leaves it unchanged

The line is a relay between the program's pseudo-terminal and the screen: 100 kbit/s down, 200 ms each way, for keys and
replies too. The same is measured without the line, in turns.
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

from tests.benchmarks.results import save_results
from tests.benchmarks.slow_terminal import SlowTerminal

VAETUI = ["-m", "vaetui"]
SESSION = "waiting"
SIZES = ((80, 24), (120, 40))
LINES = {"line": (12_500.0, 0.2), "direct": (math.inf, 0.0)}
"""Bytes per second, and latency each way in seconds."""
STARTS, PRESSES = 3, 20
KEYS = {
    "a move to another cluster: pictures change": b"n",
    "a digit: text changes": b"7",
    "Enter, an answer: pictures change": b"\r",
    "undo: pictures change": b"u",
}
FIRST = "the first labelling screen, from the start"
COMPLETE = "the same with the members of the cluster"
CENTRE_COLUMNS, MEMBER_COLUMNS = slice(1, 29), slice(31, None)
"""Columns of the pictures that show that the screen, and its members, are there."""
TARGETS_S = {FIRST: 12.0, COMPLETE: None, **dict.fromkeys(KEYS, 0.6)}
"""Upper bounds of the medians; none where PyTorch takes longer than the line."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement."""

    what: str
    """Description of what was measured."""
    line: str
    """"line" or "direct"."""
    first_s: float
    """Seconds until the first change was visible."""
    complete_s: float
    """Seconds until all changes were visible."""
    bytes: int
    """Bytes that arrived."""


def create_session() -> None:
    """Train one epoch of MNIST and cluster it; the end of the input leaves the session."""
    command = [sys.executable, *VAETUI, "new", SESSION, "--plain"]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)


def start(size: tuple[int, int], line: str) -> tuple[SlowTerminal, list[Sample]]:
    """Start the program and wait for its labelling screen; the members appear once PyTorch is loaded."""
    start_time, samples = time.monotonic(), []
    terminal = SlowTerminal([*VAETUI, "resume", SESSION], size, *LINES[line])
    for what, columns, quiet_s in ((FIRST, CENTRE_COLUMNS, 0.5), (COMPLETE, MEMBER_COLUMNS, 1.5)):
        terminal.wait_until(lambda shown=columns: any("▀" in row[shown] for row in terminal.screen.display[2:9]))
        terminal.wait_until_settled(quiet_s)
        seconds = terminal.changed_at - start_time
        samples.append(Sample(what, line, seconds, seconds, terminal.arrived_bytes))
    return terminal, samples


def press(terminal: SlowTerminal, what: str, line: str) -> Sample:
    """Press a key and wait for everything that the screen shows of it."""
    changed_at, arrived_bytes, start_time = terminal.changed_at, terminal.arrived_bytes, time.monotonic()
    terminal.send(KEYS[what])
    terminal.wait_until(lambda: terminal.changed_at > changed_at)
    first_s = terminal.changed_at - start_time
    terminal.wait_until_settled(0.3)
    return Sample(what, line, first_s, terminal.changed_at - start_time, terminal.arrived_bytes - arrived_bytes)


def measure(size: tuple[int, int]) -> list[Sample]:
    """Start the program several times, with and without the line in turns, and type at the first start of each."""
    samples = []
    for turn in range(STARTS):
        for line in LINES:
            terminal, start_samples = start(size, line)
            samples += start_samples
            samples += [press(terminal, what, line) for _ in range(PRESSES if turn == 0 else 0) for what in KEYS]
            terminal.send(b"q")
            if status := terminal.close():
                raise RuntimeError(f"the program ended with status {status}:\n{terminal.text()}")
    return samples


def summarise(size: tuple[int, int], what: str, samples: list[Sample]) -> dict[str, object]:
    """Return one line of the table."""
    slow, direct = ([sample for sample in samples if (sample.what, sample.line) == (what, line)] for line in LINES)
    return {
        "what": what,
        "size": f"{size[0]}x{size[1]}",
        "seen": round(statistics.median(sample.first_s for sample in slow), 3),
        "late": round(percentile_95([sample.first_s for sample in slow]), 3),
        "whole": round(statistics.median(sample.complete_s for sample in slow), 3),
        "direct": round(statistics.median(sample.first_s for sample in direct), 3),
        "bytes": round(statistics.median(sample.bytes for sample in slow)),
        "times": len(slow),
        "bound": TARGETS_S[what],
    }


def percentile_95(seconds: list[float]) -> float:
    """Return the 95th percentile, or the maximum of fewer than 20 values."""
    return statistics.quantiles(seconds, n=20)[-1] if len(seconds) >= 20 else max(seconds)


def main(homes: list[str]) -> None:
    os.environ["VAETUI_HOME"] = homes[0] if homes else tempfile.mkdtemp(prefix="vaetui-line-")
    if not homes:
        create_session()
    lines = []
    for size in SIZES:
        samples = measure(size)
        lines += [summarise(size, what, samples) for what in TARGETS_S]
        print(*lines[-len(TARGETS_S) :], sep="\n")
    save_results("slow_line", 0, {"lines": lines})


if __name__ == "__main__":
    main(sys.argv[1:])

"""Measure the time from a key to its effect on the screen, and write assets/results/key-to-paint.json.

python -m tests.benchmarks.key_to_paint [--baseline CHECKOUT] [--homes DIRECTORY] [--no-save]

The program runs in a pseudo-terminal of 120x40 on a session of MNIST: while nothing else runs, beside a process that
trains, and while it trains itself. With --baseline, another checkout is measured in the same run, its keys in turns
with those of this one. --homes keeps the sessions, so that a second run need not train them again. Escape is not
measured: every program in a terminal waits for 0.1 s whether it begins a longer sequence.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.app_speed import HEADLESS_TRAINING
from tests.benchmarks.results import save_results
from tests.benchmarks.slow_line import percentile_95
from tests.terminal import ROOT, ScriptedTerminal

VAETUI = ["-m", "vaetui"]
SIZE = (120, 40)
SESSION = "keys"
PRESSES, TRAINING_TURNS, TRAINING_PRESSES = 12, 2, 6
QUIET_S = 0.25
"""Seconds without output after which a key has no further effect."""
MAX_READ_S = 1.5
"""Seconds for which output is read at most: the training screen is never quiet."""
EFFECT_TIMEOUT_S = 30.0
TARGETS_MS = {"idle": 60.0, "beside a training process": 100.0, "while training": 100.0}
FOCUS_PATTERN = re.compile(r"┏ cluster ([\d.]+)")


class Sample(NamedTuple):
    """What was measured of one key."""

    first_s: float
    """Seconds to the output with its effect."""
    last_s: float
    """Seconds to the last output."""
    byte_count: int
    """Bytes of output."""


class TimedTerminal(ScriptedTerminal):
    """Keeps the time at which output arrives, and parses it later, which takes longer than a frame."""

    _chunks: list[tuple[float, bytes]] | None = None  # while a key is measured

    def _parse(self, data: bytes) -> None:
        if self._chunks is None:
            super()._parse(data)
        else:
            self._chunks.append((time.monotonic(), data))

    def press(self, key: bytes, has_effect: Callable[[str, str], bool]) -> Sample:
        """Press a key and wait for its effect, and then until the program is quiet.

        `has_effect` compares the text of the screen before and after. Raises TimeoutError if nothing has that effect.
        """
        before, start = self.text(), time.monotonic()
        first_s, last_s, byte_count = None, 0.0, 0
        self.send(key)
        while first_s is None:
            if time.monotonic() - start > EFFECT_TIMEOUT_S:
                raise TimeoutError(f"{key!r} had no effect:\n{self.text()}")
            for moment, data in self._read_until_quiet():
                super()._parse(data)
                last_s, byte_count = moment - start, byte_count + len(data)
                if first_s is None and has_effect(before, self.text()):
                    first_s = last_s
        return Sample(first_s, last_s, byte_count)

    def wait_for_members(self) -> None:
        """Wait until the members of the focused cluster are shown, and then until the program is idle."""
        self.wait_until(lambda: "▀" in self.screen.display[5][31:])
        self.wait_until_idle(1.0)

    def read_for(self, seconds: float) -> None:
        """Process output for some time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.process(0.05)

    def _read_until_quiet(self) -> list[tuple[float, bytes]]:
        """Return the output, with its times of arrival, until there is none for QUIET_S, or for MAX_READ_S."""
        chunks: list[tuple[float, bytes]] = []
        self._chunks = chunks
        start = last_s = time.monotonic()
        while time.monotonic() - last_s < QUIET_S and time.monotonic() - start < MAX_READ_S:
            count = len(chunks)
            self.process(0.02)
            if len(chunks) != count:
                last_s = time.monotonic()
        self._chunks = None
        return chunks


@dataclass
class Program:
    """One checkout with its session."""

    name: str
    """"now" or "before"."""
    root: Path
    """The checkout."""
    home: Path
    """The directory of its sessions."""
    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    """What was measured, by situation and key."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which Python imports this checkout and not the current directory."""
        return {"PYTHONPATH": str(self.root), "PYTHONSAFEPATH": "1", "VAETUI_HOME": str(self.home)}

    def create_session(self) -> None:
        """Train one epoch of MNIST and cluster it; the end of the input leaves the session."""
        if not self.home.exists():
            self.home.mkdir(parents=True)
            subprocess.run(
                [sys.executable, *VAETUI, "new", SESSION, "--plain"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                check=True,
                env=os.environ | self.environment,
            )

    def record(self, situation: str, what: str, terminal: TimedTerminal, key: bytes, effect: str) -> None:
        """Press a key and keep what was measured."""
        self.samples.setdefault((situation, what), []).append(terminal.press(key, EFFECTS[effect]))


def is_moved(before: str, after: str) -> bool:
    """Return whether another cluster is focused."""
    first, second = FOCUS_PATTERN.search(before), FOCUS_PATTERN.search(after)
    return bool(first and second and first[1] != second[1])


EFFECTS: dict[str, Callable[[str, str], bool]] = {
    "moved": is_moved,
    "changed": lambda before, after: before != after,
    "covered": lambda _, after: not FOCUS_PATTERN.search(after),
    "shown": lambda _, after: FOCUS_PATTERN.search(after) is not None,
    "pausing": lambda _, after: "pausing" in after or "paused" in after,
    "help": lambda _, after: "pause" not in after.splitlines()[-1],
    "training": lambda _, after: "pause" in after.splitlines()[-1],
}
"""Whether the screen shows the effect of a key, by the texts before and after."""
LABELLING_KEYS = [
    ("move to the next cluster", b"\x1b[C", "moved"),
    ("type a digit", b"7", "changed"),
    ("answer with Enter", b"\r", "moved"),
    ("undo the answer", b"u", "moved"),
    ("move back", b"\x1b[D", "moved"),
    ("open the help", b"?", "covered"),
    ("close the help", b"?", "shown"),
]
PALETTE_KEYS = [("open the command palette", b":", "changed"), ("close the command palette", b"\x03", "changed")]
TRAINING_KEYS = [
    ("open the help", b"?", "help"),
    ("close the help", b"?", "training"),
]


def measure_labelling(programs: list[Program], situation: str) -> None:
    """Press the keys of the labelling screen, those of all programs in turns."""
    terminals = [TimedTerminal([*VAETUI, "resume", SESSION], SIZE, environment=p.environment) for p in programs]
    for terminal in terminals:
        terminal.wait_for_members()
    for turn in range(PRESSES + 1):
        for what, key, effect in LABELLING_KEYS:
            for program, terminal in zip(programs, terminals, strict=True):
                program.record(situation if turn else "first", what, terminal, key, effect)
    for turn in range(PRESSES + 1):
        for what, key, effect in PALETTE_KEYS:
            program, terminal = programs[0], terminals[0]
            program.record(situation if turn else "first", what, terminal, key, effect)
    for terminal in terminals:
        leave(terminal)


def measure_training(program: Program, turn: int) -> None:
    """Press keys while the program trains: help, and pause with the key that ends the pause."""
    situation, name = "while training", f"train-{os.getpid()}-{turn}"
    terminal = TimedTerminal([*VAETUI, "new", name], SIZE, environment=program.environment)
    terminal.wait_for_text("img/s")
    terminal.wait_for_text("▀")
    for _ in range(TRAINING_PRESSES):
        for what, key, effect in TRAINING_KEYS:
            program.record(situation, what, terminal, key, effect)
    for _ in range(TRAINING_PRESSES // 2):
        program.record(situation, "pause", terminal, b" ", "pausing")
        terminal.wait_for_text("paused")
        terminal.wait_until_quiet()
        terminal.send(b" ")
        terminal.wait_until(lambda: "paused" not in terminal.text())
        terminal.wait_for_text("img/s")
        terminal.read_for(1.0)
    leave(terminal)
    subprocess.run(
        [sys.executable, *VAETUI, "delete", name, "--yes"], check=False, env=os.environ | program.environment
    )


def leave(terminal: ScriptedTerminal) -> None:
    """Leave the program. Raises RuntimeError for another exit status than 0."""
    terminal.send(b"q")
    if status := terminal.close():
        raise RuntimeError(f"the program ended with status {status}:\n{terminal.text()}")


@contextlib.contextmanager
def train_beside() -> Iterator[None]:
    """Train in another process that ends with the context."""
    with tempfile.TemporaryDirectory(prefix="vaetui-busy-") as home:
        process = subprocess.Popen(
            [sys.executable, "-c", HEADLESS_TRAINING.replace("if isinstance(event, Saved)", "if False"), "busy"],
            cwd=ROOT,
            env=os.environ | {"VAETUI_HOME": home},
        )
        time.sleep(8)  # PyTorch is loaded, and the training has begun
        try:
            yield
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def summarise(programs: list[Program]) -> list[dict[str, object]]:
    """Return one line for each situation and key, with the figures of all programs side by side."""
    lines = []
    for situation, what in programs[0].samples:
        if situation == "first":
            continue
        line: dict[str, object] = {"situation": situation, "key": what, "target": TARGETS_MS[situation]}
        for program in programs:
            if samples := program.samples.get((situation, what)):
                first = [1000 * sample.first_s for sample in samples]
                line[program.name] = {
                    "median": round(statistics.median(first), 1),
                    "p95": round(percentile_95(first), 1),
                    "complete": round(statistics.median(1000 * sample.last_s for sample in samples), 1),
                    "bytes": round(statistics.median(sample.byte_count for sample in samples)),
                    "times": len(samples),
                }
        lines.append(line)
    return lines


def print_lines(lines: list[dict[str, object]], names: list[str]) -> None:
    """Print the figures as a table, in milliseconds."""
    print(f"{'situation':<26}{'key':<28}" + "".join(f"{name + ': median p95 complete bytes':>36}" for name in names))
    for line in lines:
        columns = [line.get(name) for name in names]
        cells = [
            f"{c['median']:>14} {c['p95']:>7} {c['complete']:>7} {c['bytes']:>5}" if isinstance(c, dict) else " " * 36
            for c in columns
        ]
        print(f"{line['situation']:<26}{line['key']:<28}" + "".join(cells))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--baseline", type=Path)
    parser.add_argument("--checkout", type=Path, default=ROOT)
    parser.add_argument("--homes", type=Path)
    parser.add_argument("--only", choices=["idle", "busy", "training"], nargs="*")
    parser.add_argument("--no-save", action="store_true")
    arguments = parser.parse_args()
    homes = arguments.homes or Path(tempfile.mkdtemp(prefix="vaetui-keys-"))
    programs = [Program("now", arguments.checkout.resolve(), homes / "now")]
    if arguments.baseline:
        programs.append(Program("before", arguments.baseline.resolve(), homes / "before"))
    for program in programs:
        program.create_session()
    parts = arguments.only or ["idle", "busy", "training"]
    if "idle" in parts:
        measure_labelling(programs, "idle")
    if "busy" in parts:
        with train_beside():
            measure_labelling(programs, "beside a training process")
    if "training" in parts:
        for turn in range(TRAINING_TURNS):
            for program in programs:
                measure_training(program, turn)
    # How many processes competed for the cores, as an average of the last 15 minutes.
    lines, load = summarise(programs), round(os.getloadavg()[2], 1)
    print_lines(lines, [program.name for program in programs])
    if not arguments.no_save:
        save_results("key-to-paint", 0, {"size": f"{SIZE[0]}x{SIZE[1]}", "unit": "ms", "load": load, "lines": lines})


if __name__ == "__main__":
    main()

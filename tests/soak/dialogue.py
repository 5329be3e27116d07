"""One process of the real program in plain mode, led by a script until it ends or is killed."""

from __future__ import annotations

import math
import os
import random
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath

from tests.soak.moments import Moment, Watch
from tests.soak.record import Act, Moved, Record, Said
from tests.soak.script import Script
from vaetui.engine.answers import ClassAnswer, Split, parse_path

PROGRAM = (sys.executable, "-m", "vaetui")
HASTY = (sys.executable, "-m", "tests.soak.hasty")
"""The same with a checkpoint at every report, so that these short epochs have some in their middle."""
ROOT = FilePath(__file__).parents[2]
THINKING = 0.06
"""Seconds that an answer takes at most."""
LIMIT = 120.0
"""Seconds after which a process that neither ends nor asks hangs."""
CENTRE = re.compile(r"centre ([\d.]+): [\d,]+ images?, spread .*, answer (.+)")
PHASES = (
    ("loading the networks", "training"),
    ("loading", "loading"),
    ("reading the test images", "measuring"),
    ("reading the training images", "clustering"),
    ("round ", "asked"),
    ("Everything is saved", "leaving"),
)
"""What a process is in the midst of from a line on, by how the line begins."""


@dataclass(frozen=True, slots=True)
class End:
    """How a process ended."""

    status: int
    phase: str
    """What it was in the midst of."""
    seconds: float
    complaint: str
    """All that stood on standard error."""

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL


class Dialogue:
    """Reads what a process says, types what the script says, and kills it when it is time."""

    def __init__(self, command: list[str], script: Script, moment: Moment, draw: random.Random) -> None:
        self._command = command
        self._script = script
        self._record: Record = script.record
        self._moment = moment
        self._draw = draw
        self._phase = "starting"
        self._deadline = math.inf
        self._round = 0
        self._centre = ("", False)
        self._opened = False

    def run(self, directory: FilePath) -> End:
        """Lead the process of the session in that directory to its end."""
        begun = time.monotonic()
        if self._moment.hangs_on == "time":
            self._deadline = begun + self._moment.seconds
        self._watch = Watch(directory, self._moment) if self._moment.file else None
        with subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            try:
                for line in self._lines(process, begun):
                    self._hear(process, line, directory)
            finally:
                process.kill()  # also where this test fails: nobody is left behind
            status = process.wait()
            assert process.stdout is not None
            assert process.stderr is not None
            # What it told before its end counts as told, whether or not somebody had read it by then.
            *told, _ = (self._rest + process.stdout.read()).decode().split("\n")
            for line in told:
                self._record.hear(line)
            return End(status, self._phase, time.monotonic() - begun, process.stderr.read().decode())

    def _lines(self, process: subprocess.Popen[bytes], begun: float) -> Iterator[str]:
        """Give line after line until the end of the process or its deadline."""
        assert process.stdout is not None
        self._rest = b""
        while (now := time.monotonic()) < self._deadline:
            assert now < begun + LIMIT, f"the process hangs: {self._phase}, {self._centre}, {self._record.pending}"
            if self._watch is not None and self._watch.over():
                return
            line, end, rest = self._rest.partition(b"\n")
            if end:
                self._rest = rest
                yield line.decode()
            elif select.select([process.stdout], [], [], min(self._deadline - now, 0.001 if self._watch else 1.0))[0]:
                if not (came := os.read(process.stdout.fileno(), 65536)):
                    process.wait()
                    return
                self._rest += came

    def _hear(self, process: subprocess.Popen[bytes], line: str, directory: FilePath) -> None:
        self._phase = next((phase for begin, phase in PHASES if line.startswith(begin)), self._phase)
        if self._record.hear(line):
            self._phase = "asked"
        self._look_out(self._moment.told, line)
        if found := re.match(r"round (\d+) of \d+ +answered", line):
            self._round = int(found[1])
        if centre := CENTRE.match(line):
            self._centre = centre[1], centre[2] == "?"
        asks = line.endswith("class? (? helps)")
        if not (asks or line.endswith("g goes on training")):
            return
        if not self._opened:
            self._record.compare(directory)  # whoever was killed before has left something half done, or not
            self._opened = True
        # People think; so answering is a part of the life.
        time.sleep(max(0.0, min(self._draw.uniform(0, THINKING), self._deadline - time.monotonic())))
        if time.monotonic() < self._deadline:
            self._type(process, asks)

    def _type(self, process: subprocess.Popen[bytes], asks: bool) -> None:
        name, open = self._centre if asks else ("0", False)
        act = self._script.act(self._round, parse_path(name), open)
        line, what = typed(act) if act or asks else ("g", "go")
        self._phase = {"go": "training", "next": "asked"}.get(what, f"{what} typed")
        if act is not None:
            self._record.typed(act)
        assert process.stdin is not None
        process.stdin.write(f"{line}\n".encode())
        process.stdin.flush()
        self._look_out(self._moment.typed, what)

    def _look_out(self, awaited: str, seen: str) -> None:
        """Set the deadline once that has come which it hangs on."""
        if awaited and awaited in seen and self._deadline == math.inf:
            self._deadline = time.monotonic() + self._moment.seconds


def typed(act: Act | None) -> tuple[str, str]:
    """Give the line that a person types for an act, and its name."""
    match act:
        case Moved(what=what):
            return ("u" if what == "undo" else "U"), what
        case Said(answer=ClassAnswer(label, confidence)):
            return f"{label}" + ("" if confidence >= 1 else f" {round(confidence * 10)}"), "label"
        case Said(answer=Split(parts)):
            return f"s {parts}", "split"
        case Said():
            return "x", "unreadable"
    return "n", "next"

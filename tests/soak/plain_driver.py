"""Drive one process of the real program in plain mode by a script, until it ends or is killed."""

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
from pathlib import Path

from tests.soak.answer_script import AnswerScript
from tests.soak.expected_answers import ExpectedAnswers, GiveAnswer, UndoOrRedo, UserAction
from tests.soak.kill_points import FileWatcher, KillPoint
from vaetui.engine.answers import ClassAnswer, Split, parse_path

PROGRAM = (sys.executable, "-m", "vaetui")
PROGRAM_WITH_FAST_CHECKPOINTS = (sys.executable, "-m", "tests.soak.fast_checkpoints")
ROOT = Path(__file__).parents[2]
MAX_THINKING_S = 0.06
"""Maximum seconds before an answer; without them no kill would meet a process that waits for input."""
TIMEOUT_S = 240.0
"""Seconds after which a process that neither ends nor asks is considered to hang."""
CLUSTER_PATTERN = re.compile(r"Cluster ([\d.]+): [\d,]+ images?, (.+)\. \d+ of \d+ answered")
ROUND_PATTERN = re.compile(r"Round (\d+) of \d+: ")
QUESTION_SUFFIX = " (?: help)"
ALL_ANSWERED_SUFFIX = "g: continue training"
PHASES = (
    ("loading the networks", "training"),
    ("loading", "loading"),
    ("encoding the held-out images", "measuring"),
    ("encoding the training images", "clustering"),
    ("Round ", "asked"),
    ("Everything is saved", "leaving"),
)
"""Prefixes of lines, and what the process does from such a line on."""


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """How a process ended."""

    status: int
    """Exit status; negative for a signal."""
    phase: str
    """What the process was doing."""
    seconds: float
    """Run time."""
    stderr: str
    """Everything printed on standard error."""

    @property
    def was_killed(self) -> bool:
        """Return whether SIGKILL ended the process."""
        return self.status == -signal.SIGKILL


class PlainDriver:
    """Reads what a process prints, types what the script answers, and kills the process at the kill point."""

    def __init__(self, command: list[str], script: AnswerScript, kill_point: KillPoint, rng: random.Random) -> None:
        """Drive the process of `command`."""
        self._command = command
        self._script = script
        self._expected: ExpectedAnswers = script.expected
        self._kill_point = kill_point
        self._rng = rng
        self._phase = "starting"
        self._deadline = math.inf
        self._round_number = 0
        self._cluster = ("", False)
        self._was_compared = False

    def run(self, directory: Path) -> ProcessEnd:
        """Run the process on the session in that directory until it ends or is killed."""
        started_s = time.monotonic()
        if self._kill_point.trigger == "time":
            self._deadline = started_s + self._kill_point.seconds
        self._watcher = FileWatcher(directory, self._kill_point) if self._kill_point.file_suffix else None
        with subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            try:
                for line in self._read_lines(process, started_s):
                    self._handle_line(process, line, directory)
            finally:
                process.kill()  # also if the test fails
            status = process.wait()
            assert process.stdout is not None
            assert process.stderr is not None
            # Lines that were printed before the kill are confirmations, even if nobody had read them.
            *lines, _ = (self._unread + process.stdout.read()).decode().split("\n")
            for line in lines:
                self._expected.read_line(line)
            return ProcessEnd(status, self._phase, time.monotonic() - started_s, process.stderr.read().decode())

    def _read_lines(self, process: subprocess.Popen[bytes], started_s: float) -> Iterator[str]:
        """Yield line after line until the process ends or the kill point is reached."""
        assert process.stdout is not None
        self._unread = b""
        while (now := time.monotonic()) < self._deadline:
            state = f"{self._phase}, {self._cluster}, {self._expected.pending}"
            assert now < started_s + TIMEOUT_S, f"the process hangs: {state}"
            if self._watcher is not None and self._watcher.poll():
                return
            line, end, rest = self._unread.partition(b"\n")
            timeout_s = min(self._deadline - now, 0.001 if self._watcher else 1.0)
            if end:
                self._unread = rest
                yield line.decode()
            elif select.select([process.stdout], [], [], timeout_s)[0]:
                if not (data := os.read(process.stdout.fileno(), 65536)):
                    process.wait()
                    return
                self._unread += data

    def _handle_line(self, process: subprocess.Popen[bytes], line: str, directory: Path) -> None:
        self._phase = next((phase for prefix, phase in PHASES if line.startswith(prefix)), self._phase)
        if self._expected.read_line(line):
            self._phase = "asked"
        self._set_deadline(self._kill_point.line, line)
        if round_match := ROUND_PATTERN.match(line):
            self._round_number = int(round_match[1])
        if cluster_match := CLUSTER_PATTERN.match(line):
            self._cluster = cluster_match[1], cluster_match[2] == "no answer"
        asks = line.endswith(QUESTION_SUFFIX)
        if not (asks or line.endswith(ALL_ANSWERED_SUFFIX)):
            return
        if not self._was_compared:
            self._expected.compare(directory)  # a killed process may have stored the pending action, or not
            self._was_compared = True
        time.sleep(max(0.0, min(self._rng.uniform(0, MAX_THINKING_S), self._deadline - time.monotonic())))
        if time.monotonic() < self._deadline:
            self._type(process, asks)

    def _type(self, process: subprocess.Popen[bytes], asks: bool) -> None:
        name, is_unanswered = self._cluster if asks else ("0", False)
        action = self._script.next_action(self._round_number, parse_path(name), is_unanswered)
        line, command = format_command(action) if action or asks else ("g", "go")
        self._phase = {"go": "training", "next": "asked"}.get(command, f"{command} typed")
        if action is not None:
            self._expected.start(action)
        assert process.stdin is not None
        process.stdin.write(f"{line}\n".encode())
        process.stdin.flush()
        self._set_deadline(self._kill_point.command, command)

    def _set_deadline(self, trigger: str, text: str) -> None:
        """Set the deadline when the trigger of the kill point occurs in the text."""
        if trigger and trigger in text and self._deadline == math.inf:
            self._deadline = time.monotonic() + self._kill_point.seconds


def format_command(action: UserAction | None) -> tuple[str, str]:
    """Return the line that a user types for an action, and the name of the command."""
    match action:
        case UndoOrRedo(command=command):
            return ("u" if command == "undo" else "U"), command
        case GiveAnswer(answer=ClassAnswer(class_id, confidence)):
            return f"{class_id}" + ("" if confidence >= 1 else f" {round(confidence * 10)}"), "class"
        case GiveAnswer(answer=Split(parts)):
            return f"s {parts}", "split"
        case GiveAnswer():
            return "x", "unreadable"
    return "n", "next"

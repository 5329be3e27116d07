"""One run of the real program that is killed again and again, and its result."""

from __future__ import annotations

import json
import random
import re
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path

from tests.session.scripted_run import session_digest
from tests.soak import kill_points
from tests.soak.answer_script import AnswerScript
from tests.soak.expected_answers import ExpectedAnswers
from tests.soak.kill_points import FileWatcher, KillPoint
from tests.soak.plain_driver import PROGRAM, PROGRAM_WITH_FAST_CHECKPOINTS, ROOT, PlainDriver, ProcessEnd
from tests.soak.screen_driver import ScreenDriver
from vaetui.storage import locations

CONFIG_OPTIONS = ("--recipe", "paper", "--clusters", "5", "--rounds", "2")
PROCESS_KINDS = ("plain", "plain", "plain", "fast checkpoints", "fast checkpoints", "screens", "export")
"""Kinds of processes, repeated by their frequency."""
REPRODUCIBLE_KEYS = (*("phase", "epoch", "answers", "test_accuracy", "pixel_accuracy", "losses", "data", "seed"),)
"""Keys of `vaetui show --json` that depend neither on time nor on location."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of a finished run."""

    digest: str
    """Digest of everything the session stores."""
    status: dict[str, object]
    """The reproducible part of `vaetui show --json`."""
    labels: str
    """The exported labels; empty if they were not exported."""


@dataclass(slots=True)
class KillStats:
    """Counts over all killed runs."""

    kills: int = 0
    """Number of killed processes."""
    phases: Counter[str] = field(default_factory=Counter)
    """What the killed processes were doing."""
    kill_points: Counter[str] = field(default_factory=Counter)
    """Process kinds and triggers of the kills."""
    leftovers: Counter[str] = field(default_factory=Counter)
    """Kinds of unfinished files after the kills."""
    runs: int = 0
    """Number of finished runs."""
    confirmed: int = 0
    """Number of confirmed actions."""
    lost: int = 0
    """Confirmed answers missing in the database."""
    invented: int = 0
    """Answers in the database that were never typed."""
    identical: int = 0
    """Runs with the result of the undisturbed run."""
    failures: list[str] = field(default_factory=list)
    """Descriptions of all differences."""

    def to_dict(self) -> dict[str, object]:
        """Return all counts in a form that JSON can store."""
        values = {count.name: getattr(self, count.name) for count in fields(self)}
        return {
            name: dict(sorted(value.items())) if isinstance(value, dict) else value for name, value in values.items()
        }


class KilledRun:
    """A session and the script that answers it, through any number of processes."""

    def __init__(self, name: str, data: Path, seed: int, rng: random.Random, stats: KillStats) -> None:
        """Prepare a session on the images in `data`; the first process creates it."""
        self.name = name
        """Name of the session."""
        self.stats = stats
        """Counts to update."""
        self.expected = ExpectedAnswers()
        """What the session must store."""
        self._script = AnswerScript(self.expected)
        self._create_arguments = ["new", name, "--plain", "--data", str(data), "--seed", f"{seed}", *CONFIG_OPTIONS]
        self._rng = rng

    def kill_at(self, process_kind: str, kill_point: KillPoint) -> bool:
        """Start a process and kill it at that point; return whether the run reached its end before."""
        if process_kind == "export":
            assert self.is_created
            end = self._export(kill_point)
        elif process_kind == "screens":
            end = ScreenDriver(self.name, self._script, kill_point.seconds).run(self._directory)
        else:
            program = PROGRAM_WITH_FAST_CHECKPOINTS if process_kind == "fast checkpoints" else PROGRAM
            end = PlainDriver(self._command(program), self._script, kill_point, self._rng).run(self._directory)
        if end.was_killed:
            self.stats.kills += 1
            self.stats.phases[end.phase] += 1
            self.stats.kill_points[f"{process_kind}, {kill_point.trigger}"] += 1
            self.stats.leftovers.update(list_leftovers(self._directory))
            return False
        self._assert_success(end)
        return process_kind != "export"

    def finish(self, with_labels: bool = False) -> RunResult:
        """Run the session to its end without kills, and return its result."""
        driver = PlainDriver(self._command(PROGRAM), self._script, kill_points.NEVER, self._rng)
        self._assert_success(driver.run(self._directory))
        self.expected.compare(self._directory)
        status = json.loads(run_program("show", self.name, "--json"))
        if with_labels:
            run_program("export", self.name, "--force", "-o", str(self._labels_path))
        self.stats.runs += 1
        self.stats.confirmed += self.expected.confirmed_count
        self.stats.lost += len(self.expected.lost)
        self.stats.invented += len(self.expected.invented)
        return RunResult(
            session_digest(self.name),
            {key: status[key] for key in REPRODUCIBLE_KEYS},
            self._labels_path.read_text() if with_labels else "",
        )

    def matches(self, result: RunResult, undisturbed: RunResult) -> bool:
        """Return whether nothing was lost or invented and the result is that of the undisturbed run."""
        is_identical = result == undisturbed
        self.stats.identical += is_identical
        for part in ("digest", "status", "labels"):
            if getattr(result, part) != getattr(undisturbed, part):
                self.stats.failures.append(f"{self.name}: different {part}")
        self.stats.failures += [f"{self.name}: lost {answer}" for answer in self.expected.lost]
        self.stats.failures += [f"{self.name}: invented {answer}" for answer in self.expected.invented]
        return is_identical and not self.expected.lost and not self.expected.invented

    @property
    def is_created(self) -> bool:
        """Return whether the session exists."""
        return not locations.is_name_free(self.name)

    @property
    def _directory(self) -> Path:
        return locations.sessions_directory() / self.name

    @property
    def _labels_path(self) -> Path:
        return locations.sessions_directory().parent / f"{self.name}.csv"

    def _command(self, program: tuple[str, ...]) -> list[str]:
        return [*program, *(["resume", self.name, "--plain"] if self.is_created else self._create_arguments)]

    def _assert_success(self, end: ProcessEnd) -> None:
        assert end.status == 0, f"{self.name} ended with {end.status} while {end.phase}: {end.stderr}"
        assert end.stderr.strip() == "", end.stderr

    def _export(self, kill_point: KillPoint) -> ProcessEnd:
        """Kill an export that replaces a file: afterwards the file is the old or the complete new one."""
        self._labels_path.write_text("old")
        watcher = FileWatcher(self._labels_path.parent, kill_point)
        started_s = time.monotonic()
        with subprocess.Popen(
            [*PROGRAM, "export", self.name, "--force", "-o", str(self._labels_path)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            while process.poll() is None:
                if watcher.poll() if kill_point.file_suffix else time.monotonic() >= started_s + kill_point.seconds:
                    break
                time.sleep(0.0005)  # a partial file exists for about a millisecond
            process.kill()
            _, stderr = process.communicate()
        text = self._labels_path.read_text()
        lines = text.splitlines()
        is_complete = text.endswith("\n") and 1 < len(lines) <= 641 and all(line.count(",") == 8 for line in lines)
        assert lines == ["old"] or is_complete, lines[-1]
        has_no_answers = process.returncode == 2 and lines == ["old"] and "answer" in stderr
        return ProcessEnd(
            0 if has_no_answers else process.returncode, "exporting", 0.0, "" if has_no_answers else stderr
        )


def list_leftovers(directory: Path) -> list[str]:
    """Return the kinds of unfinished files in the directory of a session and beside it."""
    names = [path.name for path in directory.glob("*") if path.name.endswith(kill_points.FILE_SUFFIXES)]
    unfinished_sessions = list(directory.parent.glob(".*.unfinished"))
    return [re.sub(r"\d+", "N", name) for name in names] + ["new session"] * len(unfinished_sessions)


def run_program(*arguments: str) -> str:
    """Run a command that must succeed, and return its output."""
    process = subprocess.run([*PROGRAM, *arguments], cwd=ROOT, check=False, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout
